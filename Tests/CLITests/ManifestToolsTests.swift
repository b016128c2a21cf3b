import Foundation
import JSONBytes
import Testing

@testable import nexus

struct ManifestToolsTests {
    private static let manifest = """
        {
          "manifest": 1,   "name": "x",
          "description": "says \\"tools\\": [1, {] in its text",
          "runtime": {"executable": "bin/x", "tools": []},
          "tools": [
            {"name": "a", "title": "The A", "description": "old", "inputSchema": {"type": "object"}}
          ] ,
          "license": "MIT"
        }

        """

    private func described(_ name: String, _ text: String) -> JSONValue {
        ["name": .string(name), "description": .string(text), "inputSchema": ["type": "object"]]
    }

    @Test func aDescriptionThatFitsChangesNothing() throws {
        let tools = try ManifestTools(manifest: Self.manifest, described: [described("a", "old")])
        #expect(tools.changes.isEmpty)
        #expect(tools.text == Self.manifest)
    }

    @Test func changesAreNamedToolByTool() throws {
        let tools = try ManifestTools(
            manifest: Self.manifest, described: [described("a", "new"), described("b", "added")])
        #expect(tools.changes == ["~ a: description", "+ b"])
        let gone = try ManifestTools(manifest: Self.manifest, described: [described("b", "added")])
        #expect(gone.changes == ["+ b", "- a"])
    }

    @Test func onlyTheToolsOfTheFileChange() throws {
        let tools = try ManifestTools(manifest: Self.manifest, described: [described("a", "new")])
        let start = try #require(Self.manifest.range(of: "[\n    {\"name\""))
        let end = try #require(Self.manifest.range(of: "] ,\n"))
        #expect(tools.text.hasPrefix(Self.manifest[..<start.lowerBound]))
        #expect(tools.text.hasSuffix(Self.manifest[end.lowerBound...].dropFirst()))
        let json = try JSONValue(parsing: tools.text)
        #expect(json["tools"]?.arrayValue?.first?["description"] == "new")
        #expect(json["license"] == "MIT")
    }

    @Test func aTitleThatTheProgramDoesNotGiveIsKept() throws {
        let tools = try ManifestTools(manifest: Self.manifest, described: [described("a", "new")])
        #expect(try JSONValue(parsing: tools.text)["tools"]?.arrayValue?.first?["title"] == "The A")
    }

    @Test(arguments: ["{}", "{ }", "{\"manifest\": 1}", "{\n  \"manifest\": 1\n}\n"])
    func toolsAreAddedWhereThereAreNone(manifest: String) throws {
        let tools = try ManifestTools(manifest: manifest, described: [described("a", "new")])
        let json = try JSONValue(parsing: tools.text)
        #expect(json["tools"]?.arrayValue?.count == 1)
        #expect(json["manifest"] == (manifest.contains("manifest") ? 1 : nil))
    }

    @Test func aMemberIsFoundByItsNameAndNotByItsLooks() throws {
        let text = #"{"a\"tools":"}","x":{"tools":1},"to\u006fls" :  [ "]" ] ,"z":2}"#
        let scan = MemberScan(Array(text.utf8))
        let range = try #require(scan.value(of: "tools"))
        #expect(String(decoding: Array(text.utf8)[range], as: UTF8.self) == #"[ "]" ]"#)
        #expect(
            scan.value(of: "x").map { Array(text.utf8)[$0] }.map { String(decoding: $0, as: UTF8.self) }
                == #"{"tools":1}"#)
        #expect(scan.value(of: "absent") == nil)
    }

    @Test func whatIsNoManifestIsRefused() {
        #expect(throws: CommandFailure.self) { try ManifestTools(manifest: "[]", described: []) }
        #expect(throws: CommandFailure.self) { try ManifestTools(manifest: "{", described: []) }
    }
}
