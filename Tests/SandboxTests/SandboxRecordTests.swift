import Foundation
import JSONBytes
import Testing

@testable import Sandbox

@Suite(.serialized) struct SandboxRecordTests {
    private func record(
        _ command: [String], profile: String = "compat", person: Person
    ) async throws -> (outcome: SandboxRun.Outcome, record: SandboxRecord) {
        var options = SandboxRun.Options()
        options.profile = profile
        return try await SandboxRecord.run(options, command: command, helper: person.helper, cgroups: person.cgroups)
    }

    @Test(arguments: Person.available)
    func whatAProgramUsesIsCountedAndWhatItNeverDoesIsNamed(person: Person) async throws {
        let (outcome, record) = try await record(["/usr/bin/true"], person: person)
        #expect(outcome == .ended(JailEnd(exit: .exited(code: 0))))
        let used = Dictionary(grouping: record.used, by: \.call)
        #expect(used["execveat"]?.map(\.count) == [1])
        #expect(used["exit_group"]?.first?.count == 1)
        #expect(used["socket"] == nil)
        #expect(record.unused.contains { $0.set == "compat" && $0.calls.contains("socket") })
        #expect(!record.unused.contains { $0.calls.contains("exit_group") })
        print("recorded [\(person.rawValue)]: true uses \(used.count) calls")
    }

    /// What the filter lets through only while init watches, a recording lets through once.
    @Test func aRecordedPluginExecutesNothingElse() async throws {
        let program = "import os; os.execv('/usr/bin/true', ['true'])"
        let (outcome, record) = try await record(
            ["/usr/bin/python3", "-c", program], profile: "python", person: Person.available[0])
        #expect(outcome == .ended(JailEnd(exit: .exited(code: 1))))
        #expect(record.used.contains { $0.call == "execveat" && $0.count == 1 })
        #expect(record.refused.contains { $0.call == "execve" })
    }

    /// Counting lets nothing through: the profile's refusals stay refusals, with the same errno.
    @Test(arguments: Person.available)
    func aRecordedProgramIsRefusedWhatItsProfileRefuses(person: Person) async throws {
        let program = """
            import ctypes, errno, socket
            def code(call):
                try: call()
                except OSError as error: return error.errno
                return 0
            libc = ctypes.CDLL(None, use_errno=True)
            assert code(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)) == errno.EPERM
            assert code(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) == 0
            assert libc.unshare(0x10000000) == -1 and ctypes.get_errno() == errno.EPERM
            assert libc.syscall(999) == -1 and ctypes.get_errno() == errno.ENOSYS
            assert libc.syscall(435, 0, 0) == -1 and ctypes.get_errno() == errno.ENOSYS
            """
        let (outcome, record) = try await record(["/usr/bin/python3", "-c", program], person: person)
        #expect(outcome == .ended(JailEnd(exit: .exited(code: 0))))
        let refused = record.refused.map { "\($0.call) \($0.detail)" }
        for expected in ["socket AF_INET, SOCK_STREAM", "unshare CLONE_NEWUSER", "call 999 "] {
            #expect(refused.contains(expected), "\(refused)")
        }
        #expect(record.used.contains { $0.call == "socket" && $0.detail == "AF_UNIX, SOCK_STREAM" })
    }

    @Test(arguments: Person.available)
    func aRecordedProgramIsStillInTheJail(person: Person) async throws {
        let command = ["/usr/bin/bash", "-c", "test ! -e /etc/passwd && test ! -e /root && ! touch /usr/x"]
        #expect(try await record(command, person: person).outcome == .ended(JailEnd(exit: .exited(code: 0))))
    }

    /// An x32 call asks nobody.
    @Test func aRecordedProgramIsKilledForAForeignCall() async throws {
        let program = "import ctypes; ctypes.CDLL(None).syscall(0x40000000 | 39)"
        let (outcome, _) = try await record(["/usr/bin/python3", "-c", program], person: Person.available[0])
        #expect(outcome == .ended(JailEnd(exit: .signalled(31))))
    }

    @Test func withoutListenersInTheKernelThereIsNoRecording() throws {
        let policy = JailPolicy(name: "x", program: .path("/x"), arguments: ["x"])
            .recording(weakening: .recordedCalls)
        let host = JailHost(privileged: false, outerUser: 1, outerGroup: 1)
        let error = #expect(throws: JailError.self) {
            try JailCompiler.compile(policy, host: host, kernel: KernelSupport(landlockABI: 7, reportsDenials: false))
        }
        #expect(error?.layer == "denials")
    }

    @Test func textAndJSONSayTheSame() throws {
        let seen: [CallRecorder.Key: Int] = [
            .init(number: 0, detail: "", allowed: true): 3,
            .init(number: 41, detail: "AF_INET, SOCK_STREAM", allowed: false): 2,
        ]
        let record = SandboxRecord(profile: try .named("native"), seen: seen)
        #expect(record.text.hasPrefix("used, of profile native (times, call, set):\n  3\tread\tbase\nrefused (1):\n"))
        #expect(record.text.contains("  2\tsocket(AF_INET, SOCK_STREAM)\n"))
        #expect(record.json["used"]?.arrayValue?.first?["count"]?.intValue == 3)
        #expect(record.json["refused"]?.arrayValue?.first?["call"]?.stringValue == "socket")
        #expect(record.json["unused"]?.arrayValue?.first?["set"]?.stringValue == "base")
    }
}
