import Foundation
import Testing

@testable import nexus

struct SourceWatchTests {
    @Test func whatAnAuthorWritesIsSeen() throws {
        let folder = try AuthorFolder()
        try folder.write("src/a.swift", "1")
        try folder.write("Sources/b.swift", "1")
        let before = SourceWatch(folder.path)
        #expect(SourceWatch(folder.path) == before)
        try folder.write("src/a.swift", "22")
        try folder.write("tests/new/c.py", "1")
        try FileManager.default.removeItem(atPath: "\(folder.path)/Sources/b.swift")
        #expect(
            SourceWatch(folder.path).changes(since: before) == ["Sources/b.swift", "src/a.swift", "tests/new/c.py"])
    }

    @Test func aFileOfTheSameSizeIsSeenByItsTime() throws {
        let folder = try AuthorFolder()
        let file = try folder.write("src/a.swift", "1")
        let before = SourceWatch(folder.path)
        var times = [timespec(tv_sec: 1, tv_nsec: 1), timespec(tv_sec: 1, tv_nsec: 2)]
        #expect(utimensat(AT_FDCWD, file, &times, 0) == 0)
        let after = SourceWatch(folder.path)
        #expect(after.changes(since: before) == ["src/a.swift"])
        times[1].tv_nsec = 3
        #expect(utimensat(AT_FDCWD, file, &times, 0) == 0)
        #expect(SourceWatch(folder.path).changes(since: after) == ["src/a.swift"])
    }

    @Test(arguments: [
        ".build/release/x", ".nexus/log", "dist/x.whl", "tests/__pycache__/t.pyc", ".git/HEAD", "x-1.0.0.nexus",
        "src/bin/x", "src/.main.py.swp", "src/x-1.0.0.nexus", "dev.log", "notes.txt", "Package.resolved", "doc/a.md",
    ])
    func whatABuildOrALogWritesIsNot(file: String) throws {
        let folder = try AuthorFolder()
        try folder.write("plugin.json", "{}")
        let before = SourceWatch(folder.path, products: ["src/bin/x"])
        try folder.write(file, "new")
        #expect(SourceWatch(folder.path, products: ["src/bin/x"]).changes(since: before).isEmpty)
    }

    @Test(arguments: SourceWatch.files + ["src/a", "Sources/A/a", "Tests/a", "tests/a"])
    func whatAPluginIsMadeOfIs(file: String) throws {
        let folder = try AuthorFolder()
        let before = SourceWatch(folder.path)
        try folder.write(file, "new")
        #expect(SourceWatch(folder.path).changes(since: before) == [file])
    }

    @Test func aProgramIsOlderThanItsSourcesButNeverThanTestsOrItsManifest() throws {
        let folder = try AuthorFolder()
        let program = try folder.write("bin/x", "")
        for (index, file) in ["src/old", "src/new", "src/newest", "tests/t", "Tests/t", "plugin.json"].enumerated() {
            let path = try folder.write(file, "")
            let time = timespec(tv_sec: time(nil) + 60 * (index - 1) + 30, tv_nsec: 0)
            #expect(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
        }
        #expect(SourceWatch(folder.path).newer(than: program) == ["src/newest", "src/new"])
        #expect(SourceWatch(folder.path).newer(than: "\(folder.path)/bin/none").isEmpty)
    }

    @Test func aFileThatWeWroteOurselvesIsNoChange() throws {
        let folder = try AuthorFolder()
        try folder.write("plugin.json", "{}")
        try folder.write("src/a.py", "1")
        var before = SourceWatch(folder.path)
        try folder.write("plugin.json", "{\"tools\":[]}")
        try folder.write("src/a.py", "22")
        before.accept("plugin.json", from: SourceWatch(folder.path))
        #expect(SourceWatch(folder.path).changes(since: before) == ["src/a.py"])
    }
}
