import Foundation
import Glibc
import Testing

@testable import Sandbox

@Suite(.serialized) struct SandboxRunTests {
    private func run(
        _ command: [String], binds: [JailMount] = [], profile: String = "compat"
    ) async throws -> JailExit {
        try await SandboxRun.run(profile: profile, binds: binds, command: command, helper: Programs.jail)
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
        #expect(SandboxRun.status(of: exit) == 137)
    }

    @Test func aProgramThatIsNotThereIsNotTheProgramsOwnFailure() async throws {
        let error = await #expect(throws: JailError.self) { try await run(["no-such-program"]) }
        #expect(error?.layer == "exec" && error?.errno == ENOENT)
        #expect(SandboxRun.couldNotBuildStatus == 125)
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
}
