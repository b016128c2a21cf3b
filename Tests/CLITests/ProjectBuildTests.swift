import Foundation
import Testing

@testable import nexus

struct ProjectBuildTests {
    private func project(_ folder: AuthorFolder, python: Bool = false) throws -> PluginProject {
        let type = python ? #""type":"python","# : ""
        try folder.write("plugin.json", #"{"name":"x","runtime":{\#(type)"executable":"bin/x"}}"#)
        return try PluginProject(directory: folder.path)
    }

    @Test func theAuthorsOwnCommandRunsInTheDirectory() async throws {
        let folder = try AuthorFolder()
        let project = try project(folder)
        _ = try await ProjectBuild(project: project, command: "mkdir bin && echo made >bin/x").run()
        #expect(try folder.read("bin/x") == "made\n")
    }

    /// Else a program that needed no new build would look older than its sources for good.
    @Test func aProgramIsAsNewAsItsLastBuild() async throws {
        let folder = try AuthorFolder()
        let project = try project(folder)
        let program = try folder.write("bin/x", "")
        try folder.write("src/a", "")
        let old = timespec(tv_sec: 1, tv_nsec: 0)
        #expect(utimensat(AT_FDCWD, program, [old, old], 0) == 0)
        #expect(SourceWatch(folder.path).newer(than: program) == ["src/a"])
        await #expect(throws: BuildFailure.self) { try await ProjectBuild(project: project, command: "false").run() }
        #expect(SourceWatch(folder.path).newer(than: program) == ["src/a"])
        _ = try await ProjectBuild(project: project, command: "true").run()
        #expect(SourceWatch(folder.path).newer(than: program).isEmpty)
    }

    /// What is written while a build runs may not be in it.
    @Test func aSourceWrittenDuringABuildIsNewerThanItsProgram() async throws {
        let folder = try AuthorFolder()
        let project = try project(folder)
        let program = try folder.write("bin/x", "")
        try folder.write("src/a", "")
        _ = try await ProjectBuild(project: project, command: "sleep 0.1; touch src/a").run()
        #expect(SourceWatch(folder.path).newer(than: program) == ["src/a"])
    }

    @Test func aFailureCarriesTheCompilersWords() async throws {
        let folder = try AuthorFolder()
        let project = try project(folder)
        let build = ProjectBuild(project: project, command: "echo here; echo error: there >&2; exit 3")
        let failure = await #expect(throws: BuildFailure.self) { try await build.run() }
        #expect(failure?.tail == "here\nerror: there\n")
        #expect(failure?.message.contains("exit 3") == true)
        #expect(folder.files == ["plugin.json"])
    }

    @Test func warningsAreHandedOnAndTheRestIsNot() async throws {
        let folder = try AuthorFolder()
        let build = ProjectBuild(
            project: try project(folder), command: "echo noise; echo 'x.o: warning: l'; echo 'a.c:1:2: warning: w'")
        #expect(try await build.run() == "a.c:1:2: warning: w")
        #expect(folder.files == ["plugin.json"])
    }

    @Test func whatCannotBeBuiltSaysHowToSayIt() async throws {
        let folder = try AuthorFolder()
        let build = ProjectBuild(project: try project(folder))
        let failure = await #expect(throws: CommandFailure.self) { try await build.run() }
        #expect(failure?.message.contains("--build") == true)
    }

    @Test func eachLanguageHasItsCommand() throws {
        let folder = try AuthorFolder()
        #expect(
            ProjectBuild(project: try project(folder, python: true)).shown
                == "python3 -m nexus_plugin.build .")
        try folder.write("Package.swift", "")
        #expect(
            ProjectBuild(project: try project(folder)).shown == "swift build -c release --product x")
        #expect(ProjectBuild(project: try project(folder), command: "make").shown == "make")
    }
}
