import JSONBytes
import PluginABI
import Testing

@Suite struct PermissionsJSONTests {
    @Test func whatWasReadIsWrittenAgain() throws {
        let vectors = try ManifestSamples.vectors().filter { $0["valid"] == true }
        for vector in vectors {
            let manifest = try #require(vector["manifest"])
            let declared = manifest["permissions"]?.objectValue?.members.filter { $0.value != [] } ?? []
            let read = try PluginManifest(parsing: manifest.encoded())
            #expect(read.permissions.json == .object(JSONObject(declared)), "\(vector["name"] ?? .null)")
        }
        #expect(vectors.contains { ($0["manifest"]?["permissions"]?.objectValue?.count ?? 0) == 6 })
    }
}
