import CJail
import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Directories of the real kernel's cgroups for one launcher: as root hosts have them, or given to an ordinary user.
private enum Delegation: String, CaseIterable, Sendable {
    case root, givenAway

    /// Giving directories away takes root; an ordinary tester has only what it was given.
    static var available: [Delegation] { getuid() == 0 ? allCases : [.root] }

    /// - Parameter hostRemoves: false for a host that cannot any more.
    func launcher(hostRemoves: Bool = true) throws -> JailLauncher {
        guard self == .givenAway else {
            let launcher = try Person.available[0].launcher()
            try #require(
                launcher.bounds.versions.count == 3,
                "this machine lets nobody bound jails, so these tests prove nothing: \(launcher.bounds.missing)")
            return launcher
        }
        let placement = CgroupPlacement.ofThisMachine()
        var (arguments, made): ([String], [String]) = ([], [])
        var bounds = CgroupBounds()
        for resource in CgroupResource.allCases {
            let place = try #require(placement.places[resource])
            let path = "\(place.directory)/nexus-given-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
            try #require(place.version == .v1 && mkdir(path, 0o755) == 0 && chown(path, 65534, 65534) == 0)
            made.append(path)
            arguments += ["--cgroup-\(resource.rawValue)", path]
            bounds.versions[resource] = place.version
        }
        let home = CgroupHome(bounds: bounds, arguments: arguments, directories: hostRemoves ? made : [])
        return try JailLauncher.start(helper: Programs.ordinaryJail, mountRoots: ["/usr"], home: home)
    }
}

extension JailLauncher {
    fileprivate func directories() throws -> [String] {
        let status = try String(contentsOfFile: "/proc/\(processID)/cmdline", encoding: .utf8)
        return status.split(separator: "\0").filter { $0.hasPrefix("/sys/") }.map(String.init)
    }

    /// The directories of jails, in all hierarchies; not those made ahead, which have the highest number.
    fileprivate func jailDirectories() throws -> [String] {
        let homes = try directories()
        let numbers = try homes.map { try FileManager.default.contentsOfDirectory(atPath: $0).compactMap { Int($0) } }
        let ahead = numbers.joined().max() ?? 0
        return zip(homes, numbers).flatMap { home, numbers in
            numbers.filter { $0 != ahead }.map { "\(home)/\($0)" }
        }
    }

    fileprivate func run(_ command: [String], _ limits: JailLimits, output: Int32? = nil) async throws -> Jail {
        var policy = SystemPolicy.program(command)
        policy.limits = limits
        return try await spawn(policy, descriptors: JailDescriptors(standardOutput: output))
    }
}

private func limits(
    memory: UInt64 = 48 << 20, processes: UInt32 = 16, files: UInt64 = 1 << 30, cpu: UInt32? = nil
) -> JailLimits {
    JailLimits(
        memoryBytes: memory, processes: processes, openFiles: 64, fileBytes: files, temporaryBytes: 256 << 20,
        cpuPercent: cpu)
}

/// Each limit on a jail as a whole, met on purpose; the cause is recorded, and nobody else notices.
@Suite(.serialized) struct CgroupTests {
    private static let fill = "head -c 200M /dev/zero"

    @Test(arguments: Delegation.available)
    fileprivate func heapBeyondTheLimitKillsThatJailAlone(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let neighbour = try await launcher.idle()
        let hog = try await launcher.run(["/usr/bin/bash", "-c", "x=$(\(Self.fill) | tr '\\0' x)"], limits())
        let end = await hog.ended()
        #expect(end.cause == .memoryLimit(48 << 20))
        #expect(end.description.contains("it exceeded its memory limit of 48 MiB"))
        #expect(processExists(neighbour.processID))
        neighbour.terminate()
        #expect(await neighbour.ended() == JailEnd(exit: .signalled(SIGTERM)))
    }

    /// Pages of /tmp belong to nobody's address space, and swap would hide them from a limit on memory alone.
    @Test(arguments: Delegation.available)
    fileprivate func filesInTheJailsTmpCountAsMemory(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let end = try await launcher.run(["/usr/bin/bash", "-c", "exec \(Self.fill) > /tmp/x"], limits()).ended()
        #expect(end.exit == .signalled(SIGKILL) && end.cause == .memoryLimit(48 << 20))
    }

    /// The host gives the jail a memory file: no plugin may make one itself.
    @Test(arguments: Delegation.available)
    fileprivate func pagesOfAMemoryFileCountForTheJailThatWritesThem(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let file = cjail_memfd("hoard", 0)
        defer { close(file) }
        let command = ["/usr/bin/bash", "-c", "exec \(Self.fill)"]
        let end = try await launcher.run(command, limits(), output: file).ended()
        #expect(end.exit == .signalled(SIGKILL) && end.cause == .memoryLimit(48 << 20))
    }

    @Test(arguments: Delegation.available)
    fileprivate func swapIsNoWayAroundTheLimit(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let jail = try await launcher.run(["/usr/bin/sleep", "1000"], limits())
        let memory = try #require(try launcher.jailDirectories().first { $0.contains("/memory/") })
        for file in ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"] {
            let text = try String(contentsOfFile: "\(memory)/\(file)", encoding: .utf8)
            #expect(text == "\(48 << 20)\n", "\(file)")
        }
        jail.kill()
        _ = await jail.ended()
    }

    @Test(arguments: Delegation.available)
    fileprivate func addressesAreFreeWhereMemoryIsBounded(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let capture = try Capture()
        let jail = try await launcher.run(
            ["/usr/bin/bash", "-c", "ulimit -v; cat /proc/self/cgroup"], limits(), output: capture.writing)
        #expect(jail.report["memory"]?.state == .applied)
        #expect(jail.report["memory"]?.detail == "48 MiB (cgroup v1, no swap)")
        #expect(jail.report["processes"]?.detail == "16 (cgroup v1)")
        #expect(jail.report["cgroup"]?.state == .applied)
        #expect(await jail.exited() == .exited(code: 0))
        let lines = capture.finish().split(separator: "\n")
        #expect(lines.first == "unlimited")
        // Entered before the namespace was made: the jail does not see where it is.
        #expect(lines.contains { $0.hasSuffix(":memory:/") } && lines.contains { $0.hasSuffix(":pids:/") })
    }

    @Test(arguments: Delegation.available)
    fileprivate func forkBombStopsAtTheLimitAndTheCauseIsRecorded(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let capture = try Capture()
        let executable = try SealedMemory.seal(Programs.hostileBytes, name: "hostile")
        defer { close(executable) }
        let policy = JailPolicy(
            name: "bomb", profile: "compat", program: .sealed, arguments: ["hostile", "fork-bomb"], limits: limits())
        let jail = try await launcher.spawn(
            policy, descriptors: JailDescriptors(standardOutput: capture.writing, executable: executable))
        let end = await jail.ended()
        #expect(capture.finish() == "fork-bomb: refused, EAGAIN")
        #expect(end == JailEnd(exit: .exited(code: 1), cause: .processLimit(16)))
    }

    @Test(arguments: Delegation.available)
    fileprivate func fileBeyondTheLimitIsTheCauseOfItsSignal(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let end = try await launcher.run(
            ["/usr/bin/bash", "-c", "exec \(Self.fill) > /tmp/x"], limits(files: 1 << 20)
        ).ended()
        #expect(end == JailEnd(exit: .signalled(SIGXFSZ), cause: .fileLimit(1 << 20)))
    }

    /// Counters against counters: processor time used, against the periods in which it could be used.
    @Test(arguments: Delegation.available)
    fileprivate func busyLoopGetsTwentyPercentAndNoMore(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let jail = try await launcher.run(["/usr/bin/bash", "-c", "while :; do :; done"], limits(cpu: 20))
        #expect(jail.report["cpu"]?.detail == "20 % (cgroup v1)")
        let stat = try #require(try launcher.jailDirectories().first { $0.contains("/cpu/") }) + "/cpu.stat"
        #expect(await eventually(within: 60) { counter(stat, "nr_throttled") >= 10 })
        // Of the program alone: bash is one process, with its parent's pid and the init of the jail above it.
        let children = "/proc/\(jail.processID)/task/\(jail.processID)/children"
        let text = try String(contentsOfFile: children, encoding: .utf8)
        let program = try #require(text.split(separator: " ").first.flatMap { Int32($0) })
        let (periods, used) = (counter(stat, "nr_periods"), processorMilliseconds(program))
        print("busy loop [\(delegation)]: \(used) ms of processor in \(periods) periods of 100 ms")
        #expect(used > 0 && Double(used) <= 20 * Double(periods + 1) * 1.25)
        jail.kill()
        #expect(await jail.ended().throttledPeriods >= 10)
    }

    @Test(arguments: Delegation.available)
    fileprivate func startThatDoesNotFitTheLimitFailsAndSaysSo(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        defer { launcher.close() }
        let policy = JailPolicy(
            name: "tight", profile: "python",
            program: .script(interpreter: "/usr/bin/python3", script: "/plugin.pyz"), arguments: ["python3"],
            mounts: [JailMount(source: "/usr", destination: "/usr")], limits: limits(memory: 1 << 20))
        // Copied to the jail's root, and so into its memory, before anything of it runs.
        let script = try SealedMemory.seal([UInt8](repeating: 0x20, count: 4 << 20), name: "script")
        defer { close(script) }
        let error = await #expect(throws: JailError.self) {
            try await launcher.spawn(policy, descriptors: JailDescriptors(executable: script))
        }
        #expect(error?.layer == "cgroup", "\(String(describing: error))")
        #expect(error?.message.contains("the start needed more memory than the limit of 1 MiB") == true)
        #expect(await eventually { (try? launcher.jailDirectories()) == [] })
    }

    @Test func withoutACgroupTheReportSaysWhatIsNotBounded() async throws {
        let launcher = try JailLauncher.start(helper: Programs.jail, mountRoots: ["/usr"], cgroups: .none)
        defer { launcher.close() }
        let jail = try await launcher.run(["/usr/bin/sleep", "1000"], limits(cpu: 20))
        #expect(jail.report["memory"]?.state == .partial && jail.report["processes"]?.state == .partial)
        #expect(jail.report["cpu"]?.state == .unavailable && jail.report["cgroup"]?.state == .notUsed)
        jail.kill()
        #expect(await jail.ended() == JailEnd(exit: .signalled(SIGKILL)))
    }

    private func counter(_ path: String, _ name: String) -> Int {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }

    /// User and system time of a process (proc_pid_stat(5), fields 14 and 15).
    private func processorMilliseconds(_ pid: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = text.drop { $0 != ")" }.split(separator: " ")
        guard fields.count > 13 else { return 0 }
        return ((Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)) * 1000 / sysconf(Int32(_SC_CLK_TCK))
    }
}

/// What is left behind: nothing.
@Suite(.serialized) struct CgroupCleanupTests {
    @Test(arguments: Delegation.available)
    fileprivate func twoHundredJailsLeaveNoDirectory(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        let homes = try launcher.directories()
        #expect(homes.count >= 3)
        for _ in 0..<10 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask { _ = try await launcher.run(["/usr/bin/true"], limits(cpu: 50)).ended() }
                }
                try await group.waitForAll()
            }
        }
        #expect(await eventually { (try? launcher.jailDirectories()) == [] })
        launcher.close()
        #expect(await eventually { homes.allSatisfy { access($0, F_OK) != 0 } })
    }

    @Test(arguments: Delegation.available)
    fileprivate func launcherThatIsKilledLeavesNoDirectoryToALivingHost(delegation: Delegation) async throws {
        let launcher = try delegation.launcher()
        let homes = try launcher.directories()
        let jails = [try await launcher.idle(), try await launcher.idle()]
        #expect(try launcher.jailDirectories().count >= 2 * 2)
        let first = launcher.processID
        kill(first, SIGKILL)
        for jail in jails { #expect(await jail.exited() == .lost) }
        // The one that follows removes what it left, and takes no number twice.
        #expect(await eventually { launcher.processID != first && (try? launcher.jailDirectories()) == [] })
        let next = try await launcher.idle()
        let numbers = try launcher.jailDirectories().compactMap { Int($0.split(separator: "/").last ?? "") }
        #expect(!numbers.isEmpty && numbers.allSatisfy { $0 > 2 }, "\(numbers)")
        next.kill()
        #expect(await eventually { (try? launcher.jailDirectories()) == [] })
        kill(launcher.keeperID, SIGKILL)
        #expect(await eventually { homes.allSatisfy { access($0, F_OK) != 0 } })
    }

    /// A host that was killed removes nothing: the launcher notices and cleans up, also what it made ahead.
    @Test func launcherWhoseHostIsGoneRemovesWhatIsInItsDirectories() async throws {
        try #require(getuid() == 0, "giving directories away takes root")
        let launcher = try Delegation.givenAway.launcher(hostRemoves: false)
        let homes = try launcher.directories()
        defer { for home in homes { rmdir(home) } }
        let jail = try await launcher.idle()
        #expect(try launcher.jailDirectories().count == 2)
        launcher.close()
        #expect(await jail.exited() == .lost)
        #expect(await launcher.exited() == .exited(code: 0))
        // Those themselves stand in root's directory, which an ordinary launcher may not change.
        for home in homes { #expect(access(home, F_OK) == 0 && rmdir(home) == 0, "\(home)") }
    }

    @Test func launcherWhoseHostIsGoneRemovesItsOwnDirectoriesWhereItMay() async throws {
        let made = CgroupHome(.ofThisMachine())
        let home = CgroupHome(bounds: made.bounds, arguments: made.arguments, directories: [])
        let launcher = try JailLauncher.start(helper: Programs.jail, mountRoots: ["/usr"], home: home)
        let homes = try launcher.directories()
        try #require(homes.count >= 3)
        _ = try await launcher.idle()
        launcher.close()
        #expect(await launcher.exited() == .exited(code: 0))
        for home in homes { #expect(access(home, F_OK) != 0, "\(home)") }
    }

    /// The state after SIGKILL of host and launcher at once: homes with jails' directories, whose host is gone.
    @Test func nextHostSweepsWhatAKilledOneLeft() throws {
        let placement = CgroupPlacement.ofThisMachine()
        let bases = Set(placement.places.values.map(\.directory))
        try #require(!bases.isEmpty, "\(placement.obstacles)")
        for base in bases {
            for part in ["", "/1", "/2"] {
                try #require(mkdir("\(base)/nexus-2147483647-1-1\(part)", 0o755) == 0)
            }
        }
        let launcher = try Person.available[0].launcher()
        launcher.close()
        for base in bases { #expect(access("\(base)/nexus-2147483647-1-1", F_OK) != 0) }
    }

    @Test func limitThatTheKernelRefusesStopsTheStartAndLeavesNothing() async throws {
        let launcher = try Delegation.root.launcher()
        defer { launcher.close() }
        let cpu = try #require(try launcher.directories().first { $0.contains("/cpu/") })
        try "10000".write(toFile: "\(cpu)/cpu.cfs_quota_us", atomically: false, encoding: .utf8)
        let error = await #expect(throws: JailError.self) {
            try await launcher.run(["/usr/bin/true"], limits(cpu: 50))
        }
        #expect(error?.layer == "cgroup" && error?.errno == EINVAL)
        #expect(error?.message.contains("cpu.cfs_quota_us") == true)
        #expect(await eventually { (try? launcher.jailDirectories()) == [] })
        #expect(try await launcher.run(["/usr/bin/true"], limits()).exited() == .exited(code: 0))
    }

    /// No controller is on v2 here, so plain files stand in for its directory: what is written there can be read
    /// again, and the start fails only where the kernel is asked to give birth in it.
    @Test func versionTwoGetsItsLimitsBeforeTheJailIsBorn() async throws {
        let home = "/tmp/nexus-fake-v2-\(getpid())"
        let files = ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max"]
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        try "cpu memory pids\n".write(toFile: "\(home)/cgroup.subtree_control", atomically: false, encoding: .utf8)
        let fake = CgroupHome(
            bounds: CgroupBounds(versions: [.memory: .v2, .pids: .v2, .cpu: .v2]), arguments: ["--cgroup2", home],
            directories: [])
        let launcher = try JailLauncher.start(helper: Programs.jail, mountRoots: ["/usr"], home: fake)
        defer { launcher.close() }
        // Made ahead for the first jail; a kernel would put these files there.
        #expect(await eventually { access("\(home)/1", F_OK) == 0 })
        for file in files { try "".write(toFile: "\(home)/1/\(file)", atomically: false, encoding: .utf8) }
        let error = await #expect(throws: JailError.self) {
            try await launcher.run(["/usr/bin/true"], limits(cpu: 20))
        }
        #expect(error?.errno == EBADF, "\(String(describing: error))")
        let written = try files.map { try String(contentsOfFile: "\(home)/1/\($0)", encoding: .utf8) }
        #expect(written == ["\(48 << 20)", "0", "1", "17", "20000 100000"])
    }
}
