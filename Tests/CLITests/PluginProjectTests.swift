import Testing

@testable import nexus

struct PluginProjectTests {
    private func project(_ manifest: String, _ files: String...) throws -> PluginProject {
        let folder = try AuthorFolder()
        try folder.write("plugin.json", manifest)
        for file in files { try folder.write(file, "") }
        return try PluginProject(directory: folder.path)
    }

    @Test func theLanguageFollowsFromTheFiles() throws {
        let native = #"{"name":"x","runtime":{"executable":"bin/x"}}"#
        let python =
            #"{"name":"x","runtime":{"type":"python","executable":"bin/x.pyz","arguments":["-v"]}}"#
        #expect(try project(native, "Package.swift").language == .swift)
        #expect(try project(native).language == .other)
        #expect(try project(python).language == .python)
        #expect(try project(python).arguments == ["-v"])
        #expect(try project(native, "Package.swift").runsInPython == false)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"name":"x"}"#, #"{"name":"x","runtime":{"executable":"../x"}}"#,
        #"{"name":"x","runtime":{"executable":"/bin/sh"}}"#,
        #"{"name":1,"runtime":{"executable":"bin/x"}}"#,
    ])
    func aManifestThatNamesNoProgramInsideIsRefused(manifest: String) {
        let failure = #expect(throws: CommandFailure.self) { try project(manifest) }
        #expect(failure?.message.contains("plugin.json") == true)
    }

    @Test func aProjectThatIsNotBuiltNamesTheCommandThatBuildsIt() throws {
        let folder = try AuthorFolder()
        try folder.write("plugin.json", #"{"name":"x","runtime":{"executable":"bin/x"}}"#)
        let other = try PluginProject(directory: folder.path).missingProgram ?? ""
        #expect(other.contains("`nexus dev \(folder.path) --once --build COMMAND`"), "\(other)")
        try folder.write("Package.swift", "")
        let swift = try PluginProject(directory: folder.path).missingProgram ?? ""
        #expect(swift.contains("`nexus dev \(folder.path) --once`"), "\(swift)")
        try folder.write("bin/x", "")
        #expect(try PluginProject(directory: folder.path).missingProgram == nil)
    }

    @Test func aFolderWithoutManifestIsRefusedWithTheWayToOne() throws {
        let folder = try AuthorFolder()
        let failure = #expect(throws: CommandFailure.self) { try PluginProject(directory: folder.path) }
        #expect(failure?.message.contains("nexus new tool NAME") == true)
    }
}
