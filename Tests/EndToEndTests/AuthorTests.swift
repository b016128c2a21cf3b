import Foundation
import JSONBytes
import Testing

/// `nexus dev` and `nexus pack` on a plugin in C, whose "build" copies a program: every turn of the loop in seconds.
@Suite(.serialized) struct AuthorTests {
    @Test(arguments: Person.available)
    func theLoopReloadsOnChangeAndKeepsWhatRanWhenABuildFails(person: Person) throws {
        let project = try AuthorProject(person)
        let loop = try project.dev("--build", "sh tests/build.sh")
        #expect(loop.shows("echo 1.0.0 runs in its jail: echo#1"), "\(loop.text)")
        #expect(loop.shows("nexus tool call echo '{}' --home \(project.home)\n"), "\(loop.text)")
        #expect(loop.shows("granted without asking"), "what is granted is said")
        #expect(try project.call("echo", #"{"a":1}"#).contains(#"{"a":1}"#))
        _ = try project.call("log")
        #expect(loop.shows("│ log/info: a message"), "\(loop.text)")

        try project.write(AuthorProject.build, "echo 'x.c:1:1: error: no such thing'; exit 1\n")
        #expect(loop.shows("x.c:1:1: error: no such thing"), "\(loop.text)")
        #expect(loop.shows("✗ the build failed: sh tests/build.sh"), "\(loop.text)")
        #expect(try project.call("echo", #"{"a":2}"#).contains(#"{"a":2}"#), "the old one goes on")

        try project.write(AuthorProject.build, "exit 0\n")
        #expect(loop.shows("the same program as before"), "\(loop.text)")
        try project.replace("plugin.json", "1.0.0", "1.0.1")
        #expect(loop.shows("echo 1.0.1 runs in its jail: echo#2"), "\(loop.text)")
        try loop.interrupt()
    }

    /// A host that gave up root may not read the plugin's memory, and says that it tells of no paths.
    @Test(arguments: Person.available)
    func aPathThatThePluginDoesNotHaveIsToldInTheLoop(person: Person) throws {
        let project = try AuthorProject(person, plugin: "hostile")
        let loop = try project.dev("--build", "true")
        #expect(loop.shows("runs in its jail"), "\(loop.text)")
        let answer = try project.call("attempt", #"{"attempt":"read-etc-passwd","argument":""}"#)
        #expect(answer.contains("refused"), "\(answer)")
        let info = try project.nexus("plugin", "info", "hostile", "--home", project.home, "--json").json()
        let paths = try #require(info["layers"]?.arrayValue?.first { $0["layer"] == "paths" })
        #expect(paths["state"] == (person == .ordinary ? "applied" : "not used"))
        if person == .ordinary {
            #expect(loop.shows("denied openat /etc/passwd by the files of the jail: not in the jail"), "\(loop.text)")
        }
        try loop.interrupt()
    }

    @Test func ctrlCLeavesNothingBehind() throws {
        let project = try AuthorProject(Person.available[0])
        let before = project.files
        let loop = try project.dev("--build", "sh tests/build.sh")
        #expect(loop.shows("runs in its jail"), "\(loop.text)")
        let host = try #require(
            Int32(project.text(".nexus/nexusd.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(isAlive(host))
        try loop.interrupt()
        #expect(!isAlive(host))
        #expect(project.files == before)
    }

    @Test(arguments: Person.available)
    func whatAKilledLoopLeftIsTakenOverAndGoesAwayWithTheNext(person: Person) throws {
        let project = try AuthorProject(person)
        let before = project.files
        let killed = try project.dev("--build", "true")
        #expect(killed.shows("runs in its jail"), "\(killed.text)")
        let host = try #require(
            Int32(project.text(".nexus/nexusd.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
        let guest = try project.nexus("dev", "--once", "--build", "true")
        #expect(guest.status == 0 && isAlive(host), "a loop that runs keeps its host: \(guest)")
        try killed.kill9()
        #expect(isAlive(host))
        try project.replace("plugin.json", #""name": "echo""#, #""name": "echo-two""#)
        let next = try project.dev("--build", "true")
        #expect(next.shows("took over the host in .nexus that was left behind"), "\(next.text)")
        #expect(next.shows("removed echo: plugin.json calls it echo-two now"), "\(next.text)")
        #expect(next.shows("runs in its jail"), "\(next.text)")
        try next.interrupt()
        #expect(!isAlive(host))
        #expect(project.files == before)
    }

    @Test func aLoopThatBuildsNothingCleansUpAfterAKilledOneAllTheSame() throws {
        let project = try AuthorProject(Person.available[0])
        let before = project.files
        let killed = try project.dev("--build", "true")
        #expect(killed.shows("runs in its jail"), "\(killed.text)")
        let host = try #require(
            Int32(project.text(".nexus/nexusd.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
        try killed.kill9()
        #expect(try project.nexus("dev", "--once", "--build", "false").status == 1)
        #expect(!isAlive(host) && project.files == before)
    }

    @Test func aPluginThatIsRenamedTakesItsOwnPlace() throws {
        let project = try AuthorProject(Person.available[0])
        let loop = try project.dev("--build", "true")
        #expect(loop.shows("echo 1.0.0 runs in its jail"), "\(loop.text)")
        try project.replace("plugin.json", #""name": "echo""#, #""name": "echo-two""#)
        #expect(loop.shows("echo-two 1.0.0 runs in its jail"), "\(loop.text)")
        #expect(!loop.text.contains("belongs to the plugin"))
        _ = try project.call("log")
        #expect(loop.shows("│ log/info: a message"), "\(loop.text)")
        #expect(try !project.nexus("plugin", "list", "--home", project.home).output.contains("echo "))
        try loop.interrupt()
    }

    /// `nexus dev | tee dev.log`
    @Test func aLogInTheProjectStartsNoRound() throws {
        let project = try AuthorProject(Person.available[0])
        let loop = try project.dev("--build", "true")
        #expect(loop.shows("runs in its jail"), "\(loop.text)")
        try project.write("dev.log", loop.text)
        usleep(1_500_000)
        try project.write(AuthorProject.build, "exit 0 # again\n")
        #expect(loop.shows("the same program as before"), "\(loop.text)")
        #expect(loop.text.contains("changed: \(AuthorProject.build)\n"), "\(loop.text)")
        #expect(!loop.text.contains("dev.log"))
        try loop.interrupt()
    }

    @Test func aHostThatWasThereBeforeIsLeftAlone() throws {
        let host = try TestHost()
        let project = try AuthorProject(host.person)
        let outcome = try project.nexus("dev", "--once", "--build", "true", "--home", host.home)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(!outcome.output.contains("started a host"))
        #expect(isAlive(host.processID))
        #expect(try host.state(of: "echo")["state"]?.stringValue == "running")
    }

    @Test func anInstanceThatFailsSaysWhy() throws {
        let project = try AuthorProject(Person.available[0])
        let loop = try project.dev("--build", "true")
        #expect(loop.shows("runs in its jail"), "\(loop.text)")
        _ = try project.call("crash")
        #expect(loop.shows("✗ echo failed: the plugin echo ended: killed by signal 6"), "\(loop.text)")
        try loop.interrupt()
        let broken = try AuthorProject(Person.available[0], plugin: "rogue-early-call-result")
        let once = try broken.nexus("dev", "--once", "--build", "true")
        #expect(once.status == 1 && once.errors.contains("did not start: "), "\(once)")
        #expect(!broken.files.contains { $0.hasPrefix(".nexus") })
    }

    @Test func withJSONEachLineIsAnEvent() throws {
        let project = try AuthorProject(Person.available[0])
        let outcome = try project.nexus("dev", "--once", "--build", "true", "--json")
        let events = try outcome.lines().map { $0["event"]?.stringValue ?? "" }
        #expect(events.starts(with: ["building", "built"]) && events.contains("running"), "\(outcome)")
    }

    @Test func packingTwiceGivesTheSameFileAndItCanBeInstalled() throws {
        let host = try TestHost()
        let project = try AuthorProject(host.person)
        let packed = try project.nexus("pack", "--json")
        let first = try packed.json()
        let file = try #require(first["file"]?.stringValue)
        #expect(file == "\(project.path)/echo-1.0.0.nexus")
        let second = try project.nexus("pack", "-o", "again.nexus", "--json").json()
        #expect(first["sha256"] == second["sha256"])
        let digest = try Program.run(["/usr/bin/sha256sum", file]).output.prefix(64)
        #expect(first["sha256"]?.stringValue == String(digest))
        let installed = try host.nexus("plugin", "install", file, "--yes")
        #expect(installed.output.contains("installed echo 1.0.0"), "\(installed)")
        #expect(try host.call("echo", #"{"a":1}"#).status == 0)
    }

    @Test func whatShouldNotBePackedIsRefusedInWords() throws {
        let project = try AuthorProject(Person.available[0])
        let cases: [(change: () throws -> Void, words: String)] = [
            ({ try project.replace("plugin.json", "1.0.0", "one") }, "version"),
            ({ try project.write("bin/echo", "#!/bin/sh\n") }, "not an ELF program"),
            ({ try project.write("bin/echo", String(repeating: "\u{7F}ELF", count: 9 << 20)) }, "strip"),
            (
                { try FileManager.default.removeItem(atPath: "\(project.path)/bin/echo") },
                "`nexus dev --once --build COMMAND`"
            ),
        ]
        for (change, words) in cases {
            try change()
            let outcome = try project.nexus("pack")
            #expect(outcome.status == 1 && outcome.errors.contains("nothing was packed"), "\(outcome)")
            #expect(outcome.errors.contains(words), "\(words): \(outcome)")
            try project.restore()
        }
        #expect(!project.files.contains { $0.hasSuffix(".nexus") })
    }

    @Test func aStaleProgramIsNotPackedUntilItIsBuilt() throws {
        let project = try AuthorProject(Person.available[0])
        try project.write("src/echo.c", "")
        let stale = try project.nexus("pack")
        #expect(stale.status == 1 && stale.errors.contains("src/echo.c is newer than bin/echo"), "\(stale)")
        #expect(stale.errors.contains("`nexus dev --once --build COMMAND`"), "\(stale)")
        #expect(try project.nexus("dev", "--once", "--build", "true").status == 0)
        let packed = try project.nexus("pack")
        #expect(packed.status == 0, "\(packed)")
    }

    @Test func aBundleIsNotWrittenOverTheProject() throws {
        let project = try AuthorProject(Person.available[0])
        try project.write("notes.txt", "mine")
        for file in ["plugin.json", "bin/echo", "notes.txt"] {
            let before = try Data(contentsOf: URL(fileURLWithPath: "\(project.path)/\(file)"))
            let outcome = try project.nexus("pack", "-o", file)
            #expect(outcome.status == 1 && outcome.errors.contains("nothing was packed: "), "\(outcome)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(project.path)/\(file)")) == before)
        }
        for _ in 0..<2 { #expect(try project.nexus("pack", "-o", "mine.nexus").status == 0) }
    }

    @Test func aProjectThatIsNotBuiltIsNotJudgedAndSaysHowToBuildIt() throws {
        let project = try AuthorProject(Person.available[0])
        try FileManager.default.removeItem(atPath: "\(project.path)/bin/echo")
        let outcome = try project.nexus("conform", ".")
        #expect(outcome.status == 1 && outcome.errors.contains("`nexus dev --once --build COMMAND`"), "\(outcome)")
    }

    /// A program that describes itself otherwise than its manifest.
    @Test func aManifestThatDoesNotFitItsProgramIsNotPacked() throws {
        let project = try AuthorProject(Person.available[0], plugin: nil)
        let made = try project.nexus("new", "tool", "try-me", "--lang", "python", "--directory", ".")
        #expect(made.status == 0, "\(made)")
        let once = try project.nexus("dev", "--once")
        #expect(once.output.contains("built bin/try-me.pyz"), "\(once)")
        #expect(try project.nexus("pack").status == 0)
        try project.replace("plugin.json", "Greets somebody", "Deletes everything")
        let outcome = try project.nexus("pack")
        #expect(outcome.errors.contains("differ in their tools (~ try_me_greet: description)"), "\(outcome)")
        try project.write("src/main.py", "raise SystemExit('no luck')\n")
        let broken = try project.nexus("dev", "--once")
        #expect(broken.status == 1 && broken.errors.contains("no luck"), "\(broken)")
    }
}
