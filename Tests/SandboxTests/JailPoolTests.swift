import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Jails built ahead: as confined as any other, used once, and gone when the pool is.
@Suite(.serialized) struct JailPoolTests {
    /// Reads a line on descriptor 3, answers with it and with its process number.
    private static let echo = SystemPolicy.program(
        ["/usr/bin/bash", "-c", "read -u 3 word; echo \"$word $BASHPID\" >&3; sleep 1000"], name: "echo")

    private func sealed(_ arguments: [String]) -> JailPolicy {
        JailPolicy(name: "pooled", program: .sealed, arguments: ["hostile"] + arguments)
    }

    private func talk(_ channel: Int32, _ word: String) -> String {
        _ = write(channel, "\(word)\n", word.utf8.count + 1)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(channel, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test(arguments: Person.available)
    func aWaitingJailRunsNothingUntilItIsStarted(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let executable = try SealedMemory.seal(Programs.hostileBytes, name: "hostile")
        defer { close(executable) }
        for profile in ["strict", "compat"] {
            let capture = try Capture()
            var policy = sealed(["keyctl"])
            policy.profile = profile
            let waiting = try await launcher.prepare(
                policy, descriptors: JailDescriptors(standardOutput: capture.writing, executable: executable))
            for layer in ["namespaces", "pivot-root", "landlock", "capabilities", "seccomp", "verify"] {
                #expect(waiting.report[layer]?.state == .applied, "\(profile): \(layer)")
            }
            #expect(waiting.report["exec"] == nil)
            var poller = pollfd(fd: capture.reading, events: Int16(POLLIN), revents: 0)
            #expect(poll(&poller, 1, 200) == 0)
            let jail = try await waiting.start()
            #expect(jail.report["exec"]?.state == .applied)
            #expect(await jail.exited() == .exited(code: 1))
            #expect(capture.finish().hasPrefix("keyctl: refused"))
        }
    }

    @Test(arguments: Person.available)
    func aWaitingJailIsStartedOnce(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let waiting = try await launcher.prepare(
            SystemPolicy.program(["/usr/bin/true"]), descriptors: JailDescriptors())
        let jail = try await waiting.start()
        await #expect(throws: JailError.self) { try await waiting.start() }
        #expect(await jail.exited() == .exited(code: 0))
    }

    @Test(arguments: Person.available)
    func aWaitingJailThatNobodyHoldsOrWhoseLauncherDiesIsGone(person: Person) async throws {
        let launcher = try person.launcher()
        var waiting: WaitingJail? = try await launcher.prepare(
            SystemPolicy.program(["/usr/bin/sleep", "1000"]), descriptors: JailDescriptors())
        let first = try #require(waiting?.processID)
        #expect(processExists(first))
        waiting = nil
        #expect(await eventually { !processExists(first) })
        let other = try await launcher.prepare(
            SystemPolicy.program(["/usr/bin/sleep", "1000"]), descriptors: JailDescriptors())
        launcher.close()
        #expect(await eventually { !processExists(other.processID) })
        await #expect(throws: JailError.self) { try await other.start() }
    }

    @Test(arguments: Person.available)
    func aProgramThatCannotBeExecutedFailsAtTheStart(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        var policy = SystemPolicy.program(["/usr/bin/true"])
        policy.program = .path("/usr/bin/no-such-program")
        let waiting = try await launcher.prepare(policy, descriptors: JailDescriptors())
        let error = await #expect(throws: JailError.self) { try await waiting.start() }
        #expect(error?.layer == "exec" && error?.errno == ENOENT)
    }

    @Test(arguments: Person.available)
    func everyJailOfAPoolIsUsedOnceAndReplaced(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let pool = try JailPool(launcher, policy: Self.echo, executable: nil, size: 3)
        #expect(await eventually { pool.ready == 3 })
        var seen: Set<Int32> = []
        for round in 0..<8 {
            let taken = try await pool.take()
            defer { close(taken.channel) }
            #expect(talk(taken.channel, "round-\(round)") == "round-\(round) 2\n")
            #expect(seen.insert(taken.jail.processID).inserted)
            taken.jail.kill()
            #expect(await taken.jail.exited() == .signalled(SIGKILL))
        }
        #expect(await eventually { pool.ready == 3 })
        #expect(pool.failure == nil)
    }

    @Test(arguments: Person.available)
    func aClosedPoolLeavesNothingAndGivesNothing(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let pool = try JailPool(launcher, policy: Self.echo, executable: nil, size: 4)
        #expect(await eventually { pool.ready == 4 })
        let taken = try await pool.take()
        defer { close(taken.channel) }
        pool.close()
        await #expect(throws: JailError.self) { try await pool.take() }
        #expect(talk(taken.channel, "still") == "still 2\n")
        taken.jail.kill()
        let children = "/proc/\(launcher.processID)/task/\(launcher.processID)/children"
        #expect(await eventually { (try? String(contentsOfFile: children, encoding: .utf8)) == "" })
    }

    @Test(arguments: Person.available)
    func aPoolThatCannotBuildSaysSoWhenTaken(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        var policy = Self.echo
        policy.mounts.append(JailMount(source: "/usr/no-such-file", destination: "/x"))
        let pool = try JailPool(launcher, policy: policy, executable: nil, size: 2)
        #expect(await eventually { pool.failure != nil })
        let error = await #expect(throws: JailError.self) { try await pool.take() }
        #expect(error?.layer == "mount-sources")
    }

    @Test(arguments: [0, 65]) func aPoolOfAnUnreasonableSizeIsRefused(size: Int) throws {
        let launcher = try Person.ordinary.launcher()
        defer { launcher.close() }
        #expect(throws: JailError.self) {
            try JailPool(launcher, policy: Self.echo, executable: nil, size: size)
        }
    }
}
