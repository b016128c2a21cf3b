import Foundation
import Glibc
import Testing

@testable import Sandbox

@Suite(.serialized) struct SandboxRunTests {
    private func run(
        _ command: [String], binds: [JailMount] = [], profile: String = "compat", person: Person = Person.available[0],
        _ change: (inout SandboxRun.Options) -> Void = { _ in }
    ) async throws -> JailExit {
        var options = SandboxRun.Options()
        options.binds = binds
        options.profile = profile
        change(&options)
        let outcome = try await SandboxRun.run(
            options, command: command, helper: person.helper, cgroups: person.cgroups)
        guard case .ended(let end) = outcome else { throw MissingProgram(description: "\(outcome)") }
        return end.exit
    }

    @Test(arguments: ["python", "compat"])
    func pythonRunsWithThreadsAndAsyncio(profile: String) async throws {
        let program = """
            import asyncio, json, ssl, threading
            thread = threading.Thread(target=lambda: open('/tmp/x', 'w').write('x'))
            thread.start(); thread.join()
            asyncio.run(asyncio.sleep(0.01))
            assert open('/tmp/x').read() == 'x'
            """
        #expect(try await run(["/usr/bin/python3", "-c", program], profile: profile) == .exited(code: 0))
    }

    @Test func pluginsInPythonStartNoProgram() async throws {
        let program = "import subprocess; subprocess.run(['true'])"
        #expect(try await run(["/usr/bin/python3", "-c", program], profile: "python") == .exited(code: 1))
    }

    @Test func ordinaryProgramsRun() async throws {
        #expect(try await run(["true"]) == .exited(code: 0))
        #expect(try await run(["bash", "-c", "ls / >/dev/null && echo x | cat >/tmp/x && exit 7"]) == .exited(code: 7))
        #expect(
            try await run(["/usr/bin/python3", "-c", "import json, subprocess; subprocess.check_call(['true'])"])
                == .exited(code: 0))
    }

    @Test func aSignalBecomesAStatusAbove128() async throws {
        let exit = try await run(["bash", "-c", "kill -9 $$"])
        #expect(SandboxRun.Outcome.ended(JailEnd(exit: exit)).status == 137)
    }

    @Test func aProgramThatIsNotThereIsNotTheProgramsOwnFailure() async throws {
        let error = await #expect(throws: JailError.self) { try await run(["no-such-program"]) }
        #expect(error?.layer == "exec" && error?.errno == ENOENT)
        #expect(error.map { SandboxRun.status(of: $0) } == 127)
        let file = await #expect(throws: JailError.self) { try await run(["/usr/share/dict"]) }
        #expect(file.map { [126, 127].contains(SandboxRun.status(of: $0)) } == true)
        let folder = await #expect(throws: JailError.self) { try await run(["/usr/bin"]) }
        #expect(folder.map { SandboxRun.status(of: $0) } == 126)
        #expect(SandboxRun.status(of: JailError(.layer, "", layer: "namespaces", errno: EPERM)) == 125)
        #expect(SandboxRun.status(of: JailError(.layer, "", layer: "mount-sources", errno: ENOENT)) == 125)
    }

    @Test func bindsAreReadOnlyUnlessWeakened() async throws {
        var template = Array("/tmp/nexus-bind-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder, 0o777)
        let closed = JailMount(source: folder, destination: "/data")
        let open = JailMount(source: folder, destination: "/data", weakening: .writableMount)
        #expect(try await run(["touch", "/data/a"], binds: [closed]) != .exited(code: 0))
        #expect(try await run(["touch", "/data/a"], binds: [open]) == .exited(code: 0))
        #expect(access("\(folder)/a", F_OK) == 0)
        let execution = ["bash", "-c", "cp /usr/bin/true /data/t && chmod +x /data/t && /data/t"]
        #expect(try await run(execution, binds: [open]) == .exited(code: 126))
    }

    @Test func nothingOfEtcAndHomeIsThere() async throws {
        for path in ["/etc/passwd", "/etc/shadow", "/home", "/root", "/var", "/run", "/sys"] {
            #expect(try await run(["test", "-e", path]) == .exited(code: 1), "\(path)")
        }
    }

    @Test func anEmptyCommandSaysHowToGiveOne() async throws {
        let error = await #expect(throws: JailError.self) { try await run([]) }
        #expect(error?.message.contains("nexus sandbox run") == true)
    }

    @Test(arguments: Person.available)
    func temporaryDirectoriesAreEmptyWritableBoundedAndNotExecutable(person: Person) async throws {
        let script = """
            set -e; cd /srv/inner; test -z "$(ls)"; echo x >a; cp /usr/bin/true t; chmod +x t; ! ./t 2>/dev/null
            ! head -c 3000000 /dev/zero >big 2>/dev/null
            """
        let exit = try await run(["bash", "-c", script], person: person) {
            $0.temporary = ["/srv/inner", "/usr/share", "/tmp"]
            $0.limits.temporaryBytes = 2 << 20
        }
        #expect(exit == .exited(code: 0))
        let hidden = try await run(["bash", "-c", "test -z \"$(ls /usr/share)\""], person: person) {
            $0.temporary = ["/usr/share"]
        }
        #expect(hidden == .exited(code: 0))
    }

    @Test(arguments: Person.available)
    func environmentAndDirectoryAreWhatWasAskedFor(person: Person) async throws {
        let script = "test \"$GREETING\" = 'a=b c' && test \"$PWD\" = /usr/share && test -z \"$SECRET_OF_THE_HOST\""
        setenv("SECRET_OF_THE_HOST", "x", 1)
        defer { unsetenv("SECRET_OF_THE_HOST") }
        let exit = try await run(["bash", "-c", script], person: person) {
            $0.environment = ["GREETING": "a=b c"]
            $0.workingDirectory = "/usr/share"
        }
        #expect(exit == .exited(code: 0))
    }

    @Test(arguments: Person.available)
    func limitsAreThoseOfTheCommandLine(person: Person) async throws {
        let memory = try await run(
            ["/usr/bin/python3", "-c", "bytearray(300 << 20)"], person: person
        ) { $0.limits.memoryBytes = 200 << 20 }
        #expect(memory != .exited(code: 0))
        let processes = try await run(
            ["sh", "-c", "sleep 9 & sleep 9 & sleep 9 & sleep 9 & sleep 9"], person: person
        ) { $0.limits.processes = 4 }
        #expect(processes != .exited(code: 0))
    }

    @Test(arguments: Person.available)
    func aProgramThatTakesTooLongIsEndedWithEverythingThatItStarted(person: Person) async throws {
        var options = SandboxRun.Options()
        options.seconds = 0.3
        let stubborn = ["bash", "-c", "trap '' TERM; sleep 1000 & while :; do sleep 1; done"]
        let outcome = try await SandboxRun.run(
            options, command: stubborn, helper: person.helper, cgroups: person.cgroups)
        #expect(outcome == .timedOut && outcome.status == 124)
        options.seconds = 60
        let quick = try await SandboxRun.run(
            options, command: ["true"], helper: person.helper, cgroups: person.cgroups)
        #expect(quick == .ended(JailEnd(exit: .exited(code: 0))))
    }

    /// A program that has said that it is there, so that nothing hangs on when it is cancelled.
    private func cancel(_ script: String) async throws -> (output: String, status: Int32) {
        let helper = try Programs.jail
        var template = Array("/tmp/nexus-cancel-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder, 0o777)
        var options = SandboxRun.Options()
        options.binds = [JailMount(source: folder, destination: "/data", weakening: .writableMount)]
        let run = Task { [options] in
            try await SandboxRun.run(options, command: ["bash", "-c", script], helper: helper)
        }
        #expect(await eventually { access("\(folder)/ready", F_OK) == 0 })
        run.cancel()
        let status = try await run.value.status
        return ((try? String(contentsOfFile: "\(folder)/said", encoding: .utf8)) ?? "", status)
    }

    @Test func aCancelledRunAsksTheProgramToEnd() async throws {
        #expect(try await cancel("echo >/data/ready; while :; do sleep 0.05; done").status == 128 + SIGTERM)
        let tidy = try await cancel(
            "trap 'echo bye >/data/said; exit 3' TERM; echo >/data/ready; while :; do sleep 0.05; done")
        #expect(tidy.status == 3 && tidy.output == "bye\n")
    }

    @Test func aCancelledRunThatDoesNotEndIsKilled() async throws {
        let stubborn = try await cancel("trap '' TERM; echo >/data/ready; while :; do sleep 0.05; done")
        #expect(stubborn.status == 128 + SIGKILL)
    }

    @Test func boundsThatWereAskedForAndHoldInPartAreSaid() throws {
        var options = SandboxRun.Options()
        let partial = JailReport(layers: [
            JailLayerState(name: "memory", state: .partial, detail: "100 MiB a process"),
            JailLayerState(name: "processes", state: .applied, detail: "5 (cgroup v1)"),
        ])
        #expect(SandboxRun.shortfalls(options, partial).isEmpty, "nobody asked")
        options.wishes = ["--memory": "memory", "--pids": "processes"]
        #expect(SandboxRun.shortfalls(options, partial) == ["--memory holds in part: 100 MiB a process"])
    }

    @Test func linksAreFollowedInSourcesAndRefusedInDestinations() async throws {
        var template = Array("/tmp/nexus-link-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder, 0o755)
        try #require(mkdir("\(folder)/real", 0o755) == 0 && symlink("real", "\(folder)/link") == 0)
        try "x".write(toFile: "\(folder)/real/file", atomically: false, encoding: .utf8)
        let source = JailMount(source: "\(folder)/link", destination: "/data")
        #expect(try await run(["cat", "/data/file"], binds: [source]) == .exited(code: 0))
        // A link of the jail's own, and one in a tree that is shown.
        let own = await #expect(throws: JailError.self) {
            try await run(["true"], binds: [JailMount(source: folder, destination: "/lib/data")])
        }
        #expect(own?.message.contains("leads through the link /lib") == true)
        let shown = await #expect(throws: JailError.self) {
            let binds = [
                JailMount(source: folder, destination: "/data"),
                JailMount(source: "/usr/share", destination: "/data/link/file"),
            ]
            return try await run(["true"], binds: binds)
        }
        #expect(shown?.layer == "files" && shown?.errno == ELOOP)
        #expect(shown?.message.contains("a link is in the way") == true)
    }
}
