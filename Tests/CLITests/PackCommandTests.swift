import Foundation
import Registry
import Testing

@testable import nexus

struct PackCommandTests {
    private func project(_ folder: AuthorFolder) throws -> PluginProject {
        try folder.write("plugin.json", #"{"name":"x","runtime":{"executable":"bin/x"}}"#)
        try folder.write("bin/x", "")
        return try PluginProject(directory: folder.path)
    }

    @Test func aBundleTakesThePlaceOfNothingElse() throws {
        let folder = try AuthorFolder()
        let project = try project(folder)
        try folder.write("notes.nexus", "mine")
        let link = "\(folder.path)/link.nexus"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "plugin.json")
        for (file, words) in [
            ("plugin.json", "the plugin's own"), ("bin/../plugin.json", "the plugin's own"),
            ("link.nexus", "the plugin's own"), ("bin/x", "the plugin's own"), ("notes.nexus", "is no bundle"),
            ("bin", "is not a file"),
        ] {
            let failure = #expect(throws: CommandFailure.self) {
                try PackCommand.checkOutput("\(folder.path)/\(file)", of: project)
            }
            #expect(failure?.message.contains(words) == true, "\(file): \(failure?.message ?? "")")
        }
        try PackCommand.checkOutput("\(folder.path)/new.nexus", of: project)
    }

    @Test func aProgramOlderThanASourceIsRefusedWithBothNamesAndTheCommand() throws {
        let folder = try AuthorFolder()
        let project = try project(folder)
        try PackCommand.checkFresh(project)
        let later = timespec(tv_sec: time(nil) + 60, tv_nsec: 0)
        #expect(utimensat(AT_FDCWD, try folder.write("src/a.c", ""), [later, later], 0) == 0)
        let failure = #expect(throws: CommandFailure.self) { try PackCommand.checkFresh(project) }
        #expect(failure?.message.contains("src/a.c is newer than bin/x") == true)
        #expect(failure?.message.contains("--once --build COMMAND`") == true, "\(failure?.message ?? "")")
    }
}
