import JSONBytes
import PluginABI
import Testing

/// `PermissionsJSONTests` holds every vector with sealed uses to what it wrote; this is what has two spellings.
@Suite struct SealedUseJSONTests {
    @Test func whatIsStandardIsLeftOut() throws {
        let text = SealedManifest.text("", delivery: "call")
        let shown = try PluginManifest(parsing: Array(text.utf8)).permissions.json
        #expect(shown["http.fetch"]?.arrayValue?.first?["sealed"] == nil)
        #expect(shown["credentials"]?.arrayValue?.first == ["name": "key", "scope": "user", "reason": "r"])
    }

    @Test func oneHeaderHasOneSpellingWhoeverWroteIt() throws {
        let use = #"{"header":"x-API-key","credential":"key","after":"Key "}"#
        let shown = try PluginManifest(parsing: Array(SealedManifest.text(use).utf8)).permissions.json
        #expect(
            shown["http.fetch"]?.arrayValue?.first?["sealed"]
                == [["header": "x-API-key", "credential": "key", "after": "Key "]])
    }
}
