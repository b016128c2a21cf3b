import Foundation
import Testing

@testable import nexus

struct DevHostTests {
    private func home(
        _ folder: AuthorFolder, _ part: String = "", wish: String? = nil
    ) throws
        -> String
    {
        try folder.write("\(part)plugin.json", #"{"name":"x","runtime":{"executable":"bin/x"}}"#)
        return DevHost(project: try PluginProject(directory: "\(folder.path)/\(part)"), wish: wish).home
    }

    @Test func itLivesInTheProjectUnlessOneIsNamed() throws {
        let folder = try AuthorFolder()
        chmod(folder.path, 0o755)
        #expect(try home(folder) == "\(folder.path)/.nexus")
        #expect(try home(folder, wish: "/tmp/other") == "/tmp/other")
    }

    /// A socket's path has 108 bytes (unix(7)).
    @Test func aProjectTooDeepForASocketGetsAShortHome() throws {
        let folder = try AuthorFolder()
        let home = try home(folder, String(repeating: "deep/", count: 20))
        #expect(home.hasPrefix("/tmp/nexus-dev-\(geteuid())-"))
        #expect(
            try home == self.home(folder, String(repeating: "deep/", count: 20)), "the same each time")
    }

    @Test(.enabled(if: geteuid() == 0)) func aProjectThatOnlyRootMayEnterGetsAHomeThatNexusdMayEnter()
        throws
    {
        let folder = try AuthorFolder()
        chmod(folder.path, 0o700)
        #expect(try home(folder).hasPrefix("/tmp/nexus-dev-0-"))
    }
}
