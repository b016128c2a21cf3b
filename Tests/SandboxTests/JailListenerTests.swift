import CJail
import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Refused calls as the host hears of them, with the real kernel.
@Suite(.serialized) struct JailListenerTests {
    /// Runs one attempt of the hostile program and returns what it printed and what the host heard.
    private func attempt(
        _ arguments: [String], profile: String = "strict", on launcher: JailLauncher
    ) async throws -> (output: String, denials: [JailDenial], report: JailReport) {
        let executable = try SealedMemory.seal(Programs.hostileBytes, name: "hostile")
        defer { close(executable) }
        let capture = try Capture()
        let policy = JailPolicy(
            name: "hostile", profile: profile, program: .sealed, arguments: ["hostile"] + arguments)
        let jail = try await launcher.spawn(
            policy, descriptors: JailDescriptors(standardOutput: capture.writing, executable: executable))
        var denials: [JailDenial] = []
        for await denial in jail.denials { denials.append(denial) }
        #expect(await jail.exited() != .lost)
        return (capture.finish(), denials, jail.report)
    }

    @Test(arguments: Person.available)
    func aRefusedCallIsAnEventThatExplainsItself(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let (output, denials, report) = try await attempt(["vsock-socket"], on: launcher)
        #expect(output == "vsock-socket: refused, EPERM")
        #expect(denials.map(\.text).count == 1)
        let denial = try #require(denials.first)
        #expect(denial.call == "socket" && denial.detail == "AF_VSOCK, SOCK_STREAM" && denial.profile == "strict")
        #expect(denial.processID > 1 && denial.time > 1_700_000_000_000)
        #expect(report["denials"]?.state == .applied)
        print("denial [\(person.rawValue)]: \(denial.text)")
    }

    @Test(arguments: ["strict", "python", "native", "node", "compat"])
    func everyCallOfTheDeniedSetThatIsTriedIsHeardOf(profile: String) async throws {
        let launcher = try Person.ordinary.launcher()
        defer { launcher.close() }
        let tried = [
            "keyctl": "keyctl", "userfaultfd": "userfaultfd", "io-uring": "io_uring_setup", "ptrace": "ptrace",
            "new-user-namespace": "unshare", "memory-memfd": "memfd_create", "netlink-socket": "socket",
            "process-vm-readv": "process_vm_readv", "terminal-injection": "ioctl",
        ]
        for (attempt, call) in tried {
            let (output, denials, _) = try await self.attempt([attempt], profile: profile, on: launcher)
            #expect(output.hasSuffix("refused, EPERM"), "\(output)")
            #expect(denials.map(\.call) == [call], "\(attempt)")
        }
    }

    @Test func aProgramThatIsRefusedNothingIsSilent() async throws {
        let launcher = try Person.ordinary.launcher()
        defer { launcher.close() }
        let (_, denials, _) = try await attempt(["read-etc-passwd"], on: launcher)
        #expect(denials.isEmpty)
    }

    /// 300 refused calls: each is counted, few are said, and the host goes on serving another jail meanwhile.
    @Test(arguments: Person.available)
    func aFloodOfRefusedCallsIsCountedAndHoldsUpNobodyElse(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        async let flood = attempt(["denial-flood"], on: launcher)
        let other = try await attempt(["keyctl"], on: launcher)
        #expect(other.denials.count == 1)
        let (output, denials, _) = try await flood
        #expect(output == "denial-flood: refused, EPERM")
        #expect(denials.map(\.count).reduce(0, +) == 300)
        #expect(denials.count < 150)
    }

    /// Whoever is killed while it waits for an answer is gone, and the answer finds nobody.
    @Test func aFloodingJailIsKilledAtOnce() async throws {
        let launcher = try Person.ordinary.launcher()
        defer { launcher.close() }
        let executable = try SealedMemory.seal(Programs.hostileBytes, name: "hostile")
        defer { close(executable) }
        let policy = JailPolicy(name: "flood", program: .sealed, arguments: ["hostile", "denial-flood"])
        let jail = try await launcher.spawn(policy, descriptors: JailDescriptors(executable: executable))
        var heard = 0
        for await _ in jail.denials {
            heard += 1
            if heard == 5 { jail.kill() }
        }
        #expect(await jail.exited() == .signalled(SIGKILL))
        #expect(await eventually { !processExists(jail.processID) })
    }

    /// Sends a plan past the compiler, so that the listener is dropped or never asked for.
    private func run(
        _ kernel: KernelSupport, purpose: JailListener.Purpose?, helper: String? = nil
    ) async throws -> (output: String, report: JailReport) {
        let launcher = try JailLauncher.start(
            helper: helper ?? Programs.ordinaryJail, mountRoots: ["/usr"], cgroups: .none)
        defer { launcher.close() }
        let executable = try SealedMemory.seal(Programs.hostileBytes, name: "hostile")
        defer { close(executable) }
        let capture = try Capture()
        let policy = JailPolicy(name: "hostile", program: .sealed, arguments: ["hostile", "vsock-socket"])
        let id: UInt32 = getuid() == 0 ? 65534 : getuid()
        let host = JailHost(privileged: false, outerUser: id, outerGroup: id, bounds: launcher.bounds)
        let plan = try JailCompiler.compile(policy, host: host, kernel: kernel)
        let file = try SealedMemory.make(plan.bytes, name: "plan", executable: false)
        defer { close(file) }
        let session = try launcher.request(
            planFile: file, policy, JailDescriptors(standardOutput: capture.writing, executable: executable),
            purpose: purpose)
        let report = try await session.started().get()
        _ = await session.ended()
        return (capture.finish(), report)
    }

    @Test func whatAHostDoesNotListenToIsRefusedAllTheSame() async throws {
        let (output, _) = try await run(.forPlans(), purpose: nil)
        #expect(output == "vsock-socket: refused, ENOSYS")
    }

    @Test func withoutListenersInTheKernelTheFilterRefusesByItself() async throws {
        let kernel = KernelSupport(landlockABI: KernelSupport.forPlans().landlockABI, reportsDenials: false)
        let (output, report) = try await run(kernel, purpose: nil)
        #expect(output == "vsock-socket: refused, EPERM")
        #expect(report["denials"]?.state == .unavailable)
        #expect(report["denials"]?.detail.hasPrefix("not reported") == true)
    }

    /// Only one filter of a process may have a listener.
    @Test func belowAContainersOwnListenerTheFilterRefusesByItself() async throws {
        let helper = try Programs.jailBelowAListener
        let rules = DenialRules(profile: try SyscallProfile.named("strict"))
        let (output, report) = try await run(.forPlans(), purpose: .denials(rules), helper: helper)
        #expect(output == "vsock-socket: refused, EPERM")
        #expect(report["denials"]?.detail.hasPrefix("not reported: EBUSY") == true)
    }

    /// The host holds the listener, answers nothing, and is killed.
    @Test(arguments: Person.available)
    func aPluginThatWaitsForAnAnswerDiesWithTheHost(person: Person) async throws {
        let doomed = try DoomedHost(person, command: ["/usr/bin/unshare", "--user", "/usr/bin/sleep", "1000"])
        let children = "/proc/\(doomed.initID)/task/\(doomed.initID)/children"
        var plugin: Int32 = 0
        let waits = await eventually {
            plugin = (try? String(contentsOfFile: children, encoding: .utf8)).flatMap { Int32($0.trimmed) } ?? 0
            let call = (try? String(contentsOfFile: "/proc/\(plugin)/syscall", encoding: .utf8)) ?? ""
            return call.hasPrefix("272 ")  // unshare
        }
        #expect(waits, "the plugin does not wait in its refused call")
        doomed.kill()
        #expect(await eventually { !processExists(doomed.initID) && !processExists(plugin) })
    }

    @Test func whatIsNoListenerIsClosedAndNotServed() throws {
        let other = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let rules = DenialRules(profile: try SyscallProfile.named("strict"))
        #expect(JailListener(descriptor: other, purpose: .denials(rules), tell: { _ in }) == nil)
        #expect(fcntl(other, F_GETFD) == -1)
    }

    /// 0 would tell the caller that its call was made.
    @Test func anAnswerIsNeverSuccess() {
        #expect(cjail_listener_refuse(-1, 0, 0) == -EINVAL)
        #expect(cjail_listener_refuse(-1, 0, -1) == -EINVAL)
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
