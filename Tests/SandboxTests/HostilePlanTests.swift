import CJail
import Glibc
import Testing

@testable import Sandbox

/// What a host that has been taken over could send to a launcher that is root: nothing of it may get through or crash
/// it.
@Suite(.serialized) struct HostilePlanTests {
    private let policy = SystemPolicy.program(["/usr/bin/true"], name: "plan")

    private func plan(_ launcher: JailLauncher) throws -> [UInt8] {
        let id: UInt32 = launcher.privileged ? 2_000_000_001 : getuid() == 0 ? 65534 : getuid()
        let host = JailHost(
            privileged: launcher.privileged, outerUser: id, outerGroup: id, bounds: launcher.bounds)
        return try JailCompiler.compile(policy, host: host, kernel: .forPlans()).bytes
    }

    /// Sends plan bytes as they are; nil when the program was executed.
    private func send(_ bytes: [UInt8], _ launcher: JailLauncher, sealed: Bool = true) async throws -> JailError? {
        let file = sealed ? try SealedMemory.make(bytes, name: "plan", executable: false) : cjail_memfd("plan", 0)
        defer { close(file) }
        if !sealed { _ = write(file, bytes, bytes.count) }
        let session = try launcher.request(planFile: file, policy, JailDescriptors())
        defer { session.command(JAIL_COMMAND_KILL) }
        switch await session.started() {
        case .success: return nil
        case .failure(let error): return error
        }
    }

    private func patched(_ bytes: [UInt8], word: Int, _ value: UInt32) -> [UInt8] {
        var copy = bytes
        withUnsafeBytes(of: value) { copy.replaceSubrange(word * 4..<word * 4 + 4, with: $0) }
        return copy
    }

    @Test(arguments: Person.available)
    func userIdsThatAreNotTheLaunchersToGiveAreRefused(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let good = try plan(launcher)
        #expect(try await send(good, launcher) == nil)
        for word in 4...5 {
            for id: UInt32 in [0, 1, 1000, 1_999_999_999, 2_000_065_536, .max] {
                let error = try await send(patched(good, word: word, id), launcher)
                #expect(error?.layer == "plan", "word \(word), id \(id)")
            }
        }
        for word in 6...7 { #expect(try await send(patched(good, word: word, 0), launcher)?.layer == "plan") }
    }

    @Test(arguments: Person.available)
    func aPlanThatCouldStillChangeIsRefused(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let error = try await send(try plan(launcher), launcher, sealed: false)
        #expect(error?.message.contains("not sealed") == true)
    }

    @Test(arguments: Person.available)
    func aPlanCutAnywhereIsRefusedAndTheLauncherGoesOn(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let good = try plan(launcher)
        let cuts = Array(1..<1500) + Array(stride(from: 1500, to: good.count, by: 97))
        for cut in cuts {
            // With the length made to match, so that the cut itself has to be noticed.
            let bytes = cut >= 12 ? patched(Array(good.prefix(cut)), word: 2, UInt32(cut)) : Array(good.prefix(cut))
            let error = try await send(bytes, launcher)
            if error?.layer != "plan" { Issue.record("cut at \(cut): \(String(describing: error))") }
        }
        #expect(try await send(good, launcher) == nil)
    }

    @Test(arguments: Person.available)
    func aPlanWithALayerTakenOutIsRefused(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let good = try plan(launcher)
        let mandatory: [jail_code] = [
            JAIL_CGROUP, JAIL_SET_IDS, JAIL_NO_USER_NAMESPACES, JAIL_PIVOT, JAIL_READ_ONLY_ROOT, JAIL_NO_NEW_PRIVILEGES,
            JAIL_DROP_CAPABILITIES, JAIL_HIDE_INIT, JAIL_FORK, JAIL_DESCRIPTORS, JAIL_VERIFY, JAIL_FILTER, JAIL_EXECUTE,
        ].filter { $0 != JAIL_CGROUP || !launcher.bounds.versions.isEmpty }
        for code in mandatory {
            let error = try await send(without(code, good), launcher)
            #expect(error?.layer == "plan", "\(PlanOpcode.name(code.rawValue)): \(String(describing: error))")
        }
    }

    /// A jail without bounds would take the whole machine down with it; and no other file of a cgroup may be written.
    @Test(arguments: Person.available)
    func limitsThatAreMissingOrWouldBeWrittenElsewhereAreRefused(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let good = try plan(launcher)
        var wrong = ["tasks", "cgroup.procs", "../pids.max", "/etc/passwd", ""].map { (UInt64(1), $0) }
        wrong += [(4, "pids.max"), (.max, "pids.max")]
        if launcher.bounds.versions.isEmpty { wrong += [(1, "pids.max"), (3, "memory.max")] }
        for (tree, file) in wrong {
            var writer = PlanWriter()
            writer.append(JAIL_CGROUP_LIMIT, [tree], text: [file, "0"])
            let error = try await send(prefixed(writer, good), launcher)
            #expect(error?.layer == "plan", "\(tree) \(file): \(String(describing: error))")
        }
        if person == .root { try #require(!launcher.bounds.versions.isEmpty, "this machine has no cgroups") }
        for (code, numbers, text) in [
            (JAIL_MAKE_DIRECTORY, [UInt64(0o755)], ["/usr/x"]), (JAIL_ROOT_TMPFS, [1 << 20, 64], []),
        ] {
            var early = PlanWriter()
            early.append(code, numbers, text: text)
            let error = try await send(prefixed(early, good), launcher)
            #expect(error?.message.contains("before the user is the jail's") == true, "\(String(describing: error))")
        }
        if person == .root {
            var groups = PlanWriter()
            groups.append(JAIL_SET_IDS, [0])
            let error = try await send(prefixed(groups, good), launcher)
            #expect(error?.message.contains("groups are not cleared") == true, "\(String(describing: error))")
        }
        guard !launcher.bounds.versions.isEmpty else { return }
        // The first three are memory's.
        let unbounded = (0..<3).reduce(good) { plan, _ in without(JAIL_CGROUP_LIMIT, plan) }
        let missing = try await send(unbounded, launcher)
        #expect(missing?.message.contains("have no limit") == true)
        let error = try await send(without(JAIL_CGROUP, good), launcher)
        #expect(error?.message.contains("does not enter its cgroup") == true)
        #expect(try await send(good, launcher) == nil)
    }

    @Test(arguments: Person.available)
    func corruptPlansNeverStopTheLauncher(person: Person) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let good = try plan(launcher)
        var random = Seeded(state: 7)
        for _ in 0..<400 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<min(6000, bytes.count), using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try await send(bytes, launcher)
        }
        #expect(try await send(good, launcher) == nil)
        #expect(processExists(launcher.processID))
    }

    /// The plan with one more operation before all others.
    private func prefixed(_ writer: PlanWriter, _ bytes: [UInt8]) throws -> [UInt8] {
        let host = JailHost(privileged: false, outerUser: 1, outerGroup: 1)
        let operation = try writer.finish(host: host).bytes.dropFirst(32)
        let count = bytes[12..<16].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let longer = bytes.prefix(32) + operation + bytes.dropFirst(32)
        return patched(patched(Array(longer), word: 2, UInt32(longer.count)), word: 3, count + 1)
    }

    /// The plan with the first operation of one kind removed and the header made to match.
    private func without(_ code: jail_code, _ bytes: [UInt8]) -> [UInt8] {
        var at = 32
        while at < bytes.count {
            let length = Int(bytes[at + 4]) | Int(bytes[at + 5]) << 8 | Int(bytes[at + 6]) << 16
            let size = 40 + (length + 7) / 8 * 8
            if Int(bytes[at]) | Int(bytes[at + 1]) << 8 == Int(code.rawValue) {
                var rest = bytes
                rest.removeSubrange(at..<at + size)
                let count = bytes[12..<16].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                return patched(patched(rest, word: 2, UInt32(rest.count)), word: 3, count - 1)
            }
            at += size
        }
        return bytes
    }
}

/// The same numbers in every run (a 64-bit xorshift).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
