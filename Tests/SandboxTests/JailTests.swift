import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Who dies with whom, and what is left behind: nothing.
@Suite(.serialized) struct JailTests {
    @Test(arguments: Person.available)
    func theChannelIsDescriptorThreeAndEndsWithThePlugin(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        let command = ["/usr/bin/bash", "-c", "read -u 3 word; echo \"got $word\" >&3; sleep 1000"]
        let jail = try await launcher.spawn(
            SystemPolicy.program(command), descriptors: JailDescriptors(channel: ends[1]))
        close(ends[1])
        #expect(write(ends[0], "ping\n", 5) == 5)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(ends[0], &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "got ping\n")
        jail.kill()
        #expect(read(ends[0], &bytes, bytes.count) == 0)
        #expect(await jail.exited() == .signalled(SIGKILL))
    }

    @Test(arguments: Person.available)
    func exitCodesAndSignalsComeBack(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let coded = try await launcher.spawn(
            SystemPolicy.program(["/usr/bin/bash", "-c", "exit 42"]), descriptors: JailDescriptors())
        #expect(await coded.exited() == .exited(code: 42))
        let idle = try await launcher.idle()
        idle.terminate()
        #expect(await idle.exited() == .signalled(SIGTERM))
    }

    @Test(arguments: Person.available)
    func jailsDieWithinASecondOfTheHostClosing(person: Person) async throws {
        let launcher = try person.launcher()
        let jails = [try await launcher.idle(), try await launcher.idle()]
        launcher.close()
        #expect(await eventually { jails.allSatisfy { !processExists($0.processID) } })
        #expect(await launcher.exited() == .exited(code: 0))
        // Reaped by the launcher before it ended: not even a zombie is left to a process 1 that may not reap.
        for jail in jails { #expect(kill(jail.processID, 0) == -1 && errno == ESRCH) }
    }

    @Test(arguments: Person.available)
    func jailsDieWithinASecondOfTheLaunchersKill(person: Person) async throws {
        let launcher = try person.launcher()
        let jails = [try await launcher.idle(), try await launcher.idle()]
        kill(launcher.processID, SIGKILL)
        #expect(await eventually { jails.allSatisfy { !processExists($0.processID) } })
        for jail in jails { #expect(await jail.exited() == .lost) }
    }

    @Test(arguments: Person.available)
    func aJailThatNobodyHoldsIsKilled(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        var jail: Jail? = try await launcher.idle()
        let pid = try #require(jail?.processID)
        jail = nil
        #expect(await eventually { !processExists(pid) })
    }

    @Test(arguments: Person.available)
    func nothingSurvivesAHostThatIsKilled(person: Person) async throws {
        let doomed = try DoomedHost(person, command: ["/usr/bin/sleep", "1000"])
        let pids = [doomed.launcherID, doomed.initID]
        try #require(pids.allSatisfy { $0 > 1 && processExists($0) })
        doomed.kill()
        #expect(await eventually { pids.allSatisfy { !processExists($0) } })
    }

    /// What a jail is made of hangs on a process below the launcher, on a descriptor of the launcher or the host, or
    /// on a mount of the host: where none of these is left, neither is a namespace.
    @Test(arguments: Person.available)
    func twoHundredJailsLeaveNothingWithinFiveSeconds(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        _ = try await launcher.hostile(["keyctl"])
        let (before, mounts) = (descriptors(launcher.processID), mountCount())
        // Only root may look at the descriptors of the launcher, which is not dumpable.
        try #require((before > 0 || getuid() != 0) && mounts > 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<25 { _ = try await launcher.hostile(["keyctl"]) } }
            }
            try await group.waitForAll()
        }
        let children = "/proc/\(launcher.processID)/task/\(launcher.processID)/children"
        #expect(await eventually(within: 5) { (try? String(contentsOfFile: children, encoding: .utf8)) == "" })
        // It keeps a few networks and directories ready, and had not all of them when this began.
        #expect(await eventually(within: 5) { descriptors(launcher.processID) <= before + 16 })
        #expect(await eventually(within: 5) { launcher.openSessions == 0 })
        #expect(await eventually(within: 5) { launcher.idsInUse == 0 })
        #expect(await eventually(within: 5) { mountCount() == mounts })
    }

    private func mountCount() -> Int {
        (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8))?.split(separator: "\n").count ?? -1
    }

    @Test(arguments: Person.available)
    func twoJailsDoNotSeeEachOther(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let first = try await launcher.idle("first")
        let capture = try Capture()
        let second = try await launcher.spawn(
            SystemPolicy.program(["/usr/bin/bash", "-c", "echo /proc/[0-9]*; echo /tmp/*; hostname"], name: "second"),
            descriptors: JailDescriptors(standardOutput: capture.writing))
        #expect(await second.exited() == .exited(code: 0))
        #expect(capture.finish() == "/proc/2\n/tmp/*\njail")
        let third = try await launcher.idle("third")
        let users = [first, third].map { owner($0.processID) }
        if person == .root {
            #expect(users[0] != users[1] && users.allSatisfy { $0 >= 2_000_000_000 })
        } else {
            #expect(users[0] == users[1])
        }
    }

    /// Asked from inside: init's own links are closed to everybody but root.
    @Test(arguments: Person.available)
    func everyJailHasNamespacesOfItsOwn(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let kinds = ["pid", "mnt", "net", "user", "ipc", "uts", "cgroup"]
        // Ends its output but goes on running, so that no namespace's number can be used again meanwhile.
        let links = kinds.map { "/proc/self/ns/\($0)" }.joined(separator: " ")
        let command = ["/usr/bin/bash", "-c", "readlink \(links); exec sleep 1000 >/dev/null"]
        var jails: [Jail] = []
        var answers = [
            try kinds.map { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)") }
        ]
        for _ in 0..<2 {
            let capture = try Capture()
            jails.append(
                try await launcher.spawn(
                    SystemPolicy.program(command), descriptors: JailDescriptors(standardOutput: capture.writing)))
            answers.append(capture.finish().split(separator: "\n").map(String.init))
        }
        #expect(answers.allSatisfy { $0.count == kinds.count })
        for (index, kind) in kinds.enumerated() { #expect(Set(answers.map { $0[index] }).count == 3, "\(kind)") }
        for jail in jails { jail.kill() }
    }

    /// How many a process holds, without the network namespaces that are ready: up to nine, more or less by the moment.
    private func descriptors(_ pid: Int32) -> Int {
        let folder = "/proc/\(pid)/fd"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return -1 }
        let links = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        let networks = links.filter { $0.hasPrefix("net:") }.count
        return networks <= 9 ? links.count - networks : -2
    }

    private func owner(_ pid: Int32) -> UInt32 {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("Uid:") } ?? ""
        return line.split(separator: "\t").dropFirst().first.flatMap { UInt32($0) } ?? 0
    }

    /// The launcher's own descriptors are open in the child up to the end; they are not the plugin's to count.
    @Test(arguments: Person.available)
    func theFewestFilesAreEnoughToStart(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        var limits = JailLimits.standard
        limits.openFiles = 16
        let (output, _) = try await launcher.hostile(["kcmp"], limits: limits)
        #expect(output.contains("EPERM"), "\(output)")
    }
}
