import CJail
import Foundation
import Glibc
import Testing

@testable import Sandbox

/// A start that cannot be completed names the layer and the kernel's answer, and leaves the launcher in service.
@Suite(.serialized) struct JailLauncherTests {
    private func failure(_ launcher: JailLauncher, _ policy: JailPolicy) async -> JailError? {
        do {
            let jail = try await launcher.spawn(policy, descriptors: JailDescriptors())
            jail.kill()
            return nil
        } catch { return error }
    }

    @Test(arguments: Person.available)
    func aMissingMountSourceIsNamedWithItsLayer(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        var policy = SystemPolicy.program(["/usr/bin/true"])
        policy.mounts.append(JailMount(source: "/usr/no-such-file", destination: "/x"))
        let error = try #require(await failure(launcher, policy))
        #expect(error.layer == "mount-sources" && error.errno == ENOENT)
        #expect(error.message.contains("/usr/no-such-file"))
    }

    @Test(arguments: Person.available)
    func aSymbolicLinkInAMountSourceIsRefused(person: Person) async throws {
        let launcher = try person.launcher(mountRoots: ["/"])
        defer { launcher.close() }
        var policy = SystemPolicy.program(["/usr/bin/true"])
        policy.mounts.append(JailMount(source: "/proc/self/root/etc", destination: "/x"))
        #expect(await failure(launcher, policy)?.errno == ELOOP)
    }

    @Test(arguments: Person.available)
    func aMountSourceOutsideTheRootsIsRefusedByTheLauncher(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        for source in ["/etc", "/usrlocal", "/", "/dev/kmsg", "/root"] {
            var policy = SystemPolicy.program(["/usr/bin/true"])
            policy.mounts.append(JailMount(source: source, destination: "/x"))
            let error = try #require(await failure(launcher, policy))
            #expect(error.layer == "plan")
            #expect(error.message.contains("outside the allowed roots"))
        }
    }

    @Test(arguments: Person.available)
    func everyLayerThatFailsIsNamed(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let program = SystemPolicy.program(["/usr/bin/true"])
        var noProgram = program
        noProgram.program = .path("/usr/bin/no-such-program")
        var noDirectory = program
        noDirectory.workingDirectory = "/nowhere"
        var overReadOnly = program
        overReadOnly.mounts.append(JailMount(source: "/usr/bin", destination: "/usr/no-such-place"))
        var overFile = program
        overFile.mounts.append(JailMount(source: "/usr/bin", destination: "/usr/bin/env/x"))
        let cases: [(JailPolicy, String, Int32)] = [
            (noProgram, "exec", ENOENT), (noDirectory, "session", ENOENT), (overReadOnly, "files", EROFS),
            (overFile, "files", ENOTDIR),
        ]
        for (policy, layer, number) in cases {
            let error = try #require(await failure(launcher, policy))
            #expect(error.layer == layer, "\(error)")
            #expect(error.errno == number, "\(error)")
            print("named [\(person.rawValue)]: \(error)")
        }
        #expect(await failure(launcher, program) == nil)
    }

    @Test(arguments: Person.available)
    func everyLayerIsReportedAndVerified(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let jail = try await launcher.idle()
        for layer in jail.report.layers {
            print("layer [\(person.rawValue)] \(layer.name): \(layer.state.rawValue), \(layer.detail)")
        }
        for name in ["namespaces", "pivot-root", "landlock", "capabilities", "seccomp", "verify", "exec"] {
            #expect(jail.report[name]?.state == .applied)
        }
        let held = try String(contentsOfFile: "/proc/\(jail.processID)/status", encoding: .utf8)
        #expect(held.contains("CapBnd:\t0000000000000000") && held.contains("Seccomp:\t2"))
        #expect(launcher.privileged == (person == .root))
    }

    @Test(arguments: Person.available)
    func whatTheKernelLacksIsReportedAndWhatItHasIsApplied(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let executable = try SealedMemory.seal(Programs.hostileBytes, name: "hostile")
        defer { Glibc.close(executable) }
        let policy = JailPolicy(name: "layers", program: .sealed, arguments: ["hostile"])
        let jail = try await launcher.spawn(policy, descriptors: JailDescriptors(executable: executable))
        #expect(jail.report["no-new-code"]?.state == .applied)
        // Writing vm.memfd_noexec takes the file's owner, root; core scheduling takes CONFIG_SCHED_CORE.
        let programs = try #require(jail.report["no-memfd-programs"])
        #expect(programs.state == (person == .root ? .applied : .unavailable))
        #expect(person == .root || programs.detail.contains("EACCES"))
        let apart = try #require(jail.report["core-scheduling"])
        #expect(apart.state == .applied || apart.detail.contains("EINVAL") || apart.detail.contains("ENODEV"))
    }

    @Test func theHelperThatIsMissingOrSomethingElseIsSaid() {
        let missing = #expect(throws: JailError.self) {
            try JailLauncher.start(helper: "/nowhere/nexus-jail", mountRoots: [])
        }
        #expect(missing?.message.contains("/nowhere/nexus-jail") == true && missing?.errno == ENOENT)
        let other = #expect(throws: JailError.self) { try JailLauncher.start(helper: "/bin/true", mountRoots: []) }
        #expect(other?.message.contains("did not greet as nexus-jail") == true)
    }

    @Test(arguments: Person.available)
    func aLauncherThatIsKilledIsReplacedAndItsJailsAreLost(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let first = launcher.processID
        let jail = try await launcher.idle()
        kill(first, SIGKILL)
        #expect(await jail.exited() == .lost)
        var losses = launcher.losses.makeAsyncIterator()
        #expect(await losses.next() == .signalled(SIGKILL))
        #expect(await eventually { launcher.processID != first && processExists(launcher.processID) })
        #expect(launcher.privileged == (person == .root))
        let next = try await launcher.idle()
        #expect(processExists(next.processID) && next.report["verify"]?.state == .applied)
        #expect(!processExists(first) && launcher.openSessions == 1)
        #expect(person == .ordinary || launcher.idsInUse == 1)
    }

    /// A request that comes between two launchers, or goes to one that dies over it.
    @Test(arguments: Person.available)
    func startsUnderAKilledLauncherFailAsRetryableOrSucceed(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let program = SystemPolicy.program(["/usr/bin/true"])
        let load = Task {
            var codes: [JailError.Code?] = []
            while !Task.isCancelled { codes.append(await failure(launcher, program)?.code) }
            return codes
        }
        for _ in 0..<3 {
            let pid = launcher.processID
            kill(pid, SIGKILL)
            #expect(await eventually { launcher.processID != pid })
        }
        #expect(await failure(launcher, program) == nil)
        load.cancel()
        let codes = await load.value
        #expect(codes.allSatisfy { $0 == nil || $0 == .launcher }, "\(codes)")
        print("killed launchers [\(person.rawValue)]: \(codes.count) starts, \(codes.count { $0 != nil }) refused")
    }

    @Test(arguments: Person.available)
    func aLauncherThatDiesFiveTimesInAMinuteIsGivenUp(person: Person) async throws {
        let launcher = try person.launcher()
        for _ in 0..<5 {
            let pid = launcher.processID
            kill(pid, SIGKILL)
            #expect(await eventually { launcher.processID != pid || !processExists(launcher.keeperID) })
        }
        #expect(await launcher.exited() == .exited(code: 1))
        let error = try #require(await failure(launcher, SystemPolicy.program(["/usr/bin/true"])))
        #expect(error.code == .launcher && error.message.contains("start a new launcher"))
    }

    @Test(arguments: Person.available)
    func everythingEndsWithTheKeeper(person: Person) async throws {
        let launcher = try person.launcher()
        let jail = try await launcher.idle()
        let all = [launcher.processID, jail.processID]
        kill(launcher.keeperID, SIGKILL)
        #expect(await launcher.exited() == .signalled(SIGKILL))
        #expect(await jail.exited() == .lost)
        #expect(await eventually { !all.contains(where: processExists) })
    }

    /// It keeps root where there is root, so it is as closed as the launcher: nothing to read, nothing to open.
    @Test(arguments: Person.available)
    func theKeeperHoldsNothingButItsSocket(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        _ = try await launcher.idle()
        let folder = "/proc/\(launcher.keeperID)"
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/environ")
        // Of a process that is not dumpable, these files belong to root (proc(5)).
        #expect(attributes[.ownerAccountID] as? Int == 0)
        // An ordinary one is started by a shell of the test, which has variables of its own.
        guard person == .root else { return }
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/environ")).isEmpty)
        let open = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").compactMap { number in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/fd/\(number)")).map { (number, $0) }
        }
        // The fifth is its launcher's pidfd_open(2), to wait for it and for the host at once.
        let isKnown = { (number: String, target: String) in
            target == "/dev/null" || (number == "3" && target.hasPrefix("socket:")) || target.hasSuffix("[pidfd]")
        }
        #expect(open.count == 5 && open.allSatisfy(isKnown), "\(open)")
    }

    @Test func outerIdsAreInUseOnceAndComeBack() {
        var ids = OuterIDs()
        let first = ids.take()
        let second = ids.take()
        #expect(first != second)
        for _ in 2..<Int(JAIL_OUTER_ID_COUNT) { _ = ids.take() }
        #expect(ids.take() == nil)
        if let first { ids.give(back: first) }
        #expect(ids.take() == first)
    }
}
