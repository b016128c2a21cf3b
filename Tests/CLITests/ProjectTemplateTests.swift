import Foundation
import JSONBytes
import PluginABI
import Testing

@testable import nexus

struct ProjectTemplateTests {
    private func template(
        _ language: ProjectTemplate.Language, _ name: String = "try-me"
    ) throws
        -> ProjectTemplate
    {
        ProjectTemplate(language, name: try ProjectName(name), sdk: SDKLocation(path: "/opt/nexus/sdk"))
    }

    @Test(arguments: ProjectTemplate.Language.allCases)
    func noPlaceholderIsLeftInAnyFileOrPath(language: ProjectTemplate.Language) throws {
        let files = try template(language).files
        #expect(files.count >= 7)
        for file in files {
            for word in ["template", "Template", "../.."] {
                #expect(!file.path.contains(word) && !file.text.contains(word), "\(word) in \(file.path)")
            }
        }
        #expect(files.contains { $0.text.contains("/opt/nexus/sdk/\(language.rawValue)") })
    }

    @Test(arguments: ProjectTemplate.Language.allCases)
    func theManifestIsValidAndDeclaresOneTypedTool(language: ProjectTemplate.Language) throws {
        let text = try #require(try template(language).files.first { $0.path == "plugin.json" }?.text)
        let manifest = try JSONValue(parsing: text)
        #expect(manifest["name"] == "try-me")
        #expect(manifest["runtime"]?["type"]?.stringValue == (language == .python ? "python" : nil))
        let tools = manifest["tools"]?.arrayValue ?? []
        #expect(tools.map { $0["name"] } == ["try_me_greet"])
        _ = try JSONSchema(tools[0]["inputSchema"] ?? .null)
    }

    /// What is embedded and what lies in sdk/templates are the same files: none is forgotten.
    @Test(arguments: ProjectTemplate.Language.allCases)
    func everyFileOfTheTemplateIsEmbedded(language: ProjectTemplate.Language) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("sdk/templates/\(language.rawValue)")
        let built: Set<Substring> = [".build", "__pycache__", "bin", ".nexus"]
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { path in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(root.path)/\(path)", isDirectory: &isFolder)
            return !isFolder.boolValue && built.isDisjoint(with: path.split(separator: "/"))
                && path != "Package.resolved"
        }
        let named = paths.map {
            $0.replacing("template-name", with: "try-me").replacing("TemplateName", with: "TryMe")
        }
        #expect(try template(language).files.map(\.path).sorted() == named.sorted())
    }

    @Test func aProjectAppearsWholeInAFreshOrEmptyDirectory() throws {
        let folder = try AuthorFolder()
        try template(.python).write(to: "\(folder.path)/new/deep")
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/empty", withIntermediateDirectories: true)
        try template(.python).write(to: "\(folder.path)/empty")
        let names = try template(.python).files.map(\.path)
        #expect(folder.files == (names.map { "empty/\($0)" } + names.map { "new/deep/\($0)" }).sorted())
    }

    /// SwiftPM takes a package for the SDK's if their folders have one name.
    @Test(arguments: [("swift", "x"), ("my-tool", "swift"), ("my-tool", "deep/Swift"), ("my-tool", "swift.git")])
    func aSwiftProjectThatSwiftPMTakesForTheSDKIsRefused(name: String, directory: String) throws {
        let folder = try AuthorFolder()
        let failure = #expect(throws: CommandFailure.self) {
            try template(.swift, name).write(to: "\(folder.path)/\(directory)")
        }
        #expect(failure?.message.contains("choose another") == true && failure?.exitCode == 64)
        #expect(folder.files.isEmpty)
        try template(.python, name).write(to: "\(folder.path)/\(directory)")
    }

    @Test func whatExistsIsRefusedAndLeftAsItWas() throws {
        let folder = try AuthorFolder()
        try folder.write("taken/notes.txt", "mine")
        let failure = #expect(throws: CommandFailure.self) {
            try template(.swift).write(to: "\(folder.path)/taken")
        }
        #expect(failure?.message.contains("is not empty (it holds notes.txt)") == true)
        try folder.write("file", "mine")
        let other = #expect(throws: CommandFailure.self) {
            try template(.swift).write(to: "\(folder.path)/file")
        }
        #expect(other?.message.contains("is not a directory") == true)
        #expect(folder.files == ["file", "taken/notes.txt"])
    }

    @Test func aPlaceThatCannotBeWrittenLeavesNothingHalfWritten() throws {
        let folder = try AuthorFolder()
        try folder.write("file", "")
        let failure = #expect(throws: CommandFailure.self) {
            try template(.swift).write(to: "\(folder.path)/file/x")
        }
        #expect(failure?.message.hasPrefix("nothing was made: ") == true)
        #expect(folder.files == ["file"])
    }

    @Test func anSDKPathThatWouldBreakTheSourcesIsRefused() throws {
        let folder = try AuthorFolder()
        let odd = ProjectTemplate(
            .swift, name: try ProjectName("x"), sdk: SDKLocation(path: "/tmp/a\"b"))
        let failure = #expect(throws: CommandFailure.self) { try odd.write(to: "\(folder.path)/x") }
        #expect(failure?.message.contains("quotes") == true)
        #expect(folder.files.isEmpty)
    }
}
