import Foundation
import Glibc
import Testing

@testable import Sandbox

/// One thing that a hostile plugin tries, and what must stop it in a profile.
struct Expectation: Sendable, CustomTestStringConvertible {
    let attempt: String
    /// What the program prints after its name, or the signal that kills it.
    let outcomes: [String]
    /// The layer that stopped it, for the reader of the test's output.
    let layer: String
    var testDescription: String { attempt }

    static let strict: [Expectation] = [
        .init("read-etc-passwd", ["ENOENT"], "files: /etc is not in the jail"),
        .init("read-host-home", ["ENOENT"], "files: the host's home is not in the jail"),
        .init("read-proc1-environ", ["ENOENT"], "proc: hidepid, and init is not dumpable"),
        .init("proc-root", ["ENOENT"], "proc: hidepid, and init is not dumpable"),
        .init("write-outside-tmp", ["EROFS", "EACCES"], "pivot-root: read-only root; landlock: only /tmp"),
        .init("directory-escape", ["ENOENT"], "pivot-root: nothing above the jail's root"),
        .init("leaked-descriptor", ["EBADF"], "descriptors: close_range"),
        .init("file-handle", ["EPERM"], "seccomp: name_to_handle_at"),
        .init("chroot", ["EPERM"], "seccomp: chroot (beneath it: no capability)"),
        .init("mount", ["EPERM"], "seccomp: mount (beneath it: no capability)"),
        .init("inet-socket", ["EPERM"], "seccomp: socket"),
        .init("netlink-socket", ["EPERM"], "seccomp: socket"),
        .init("vsock-socket", ["EPERM"], "seccomp: socket"),
        .init("any-socket", ["EPERM"], "seccomp: socket, compared in 32 bits"),
        .init("abstract-unix-socket", ["EPERM"], "seccomp: socket"),
        .init("socket-filter", ["EPERM"], "seccomp: setsockopt, by level and option"),
        .init("ptrace", ["EPERM"], "seccomp: ptrace"),
        .init("process-vm-readv", ["EPERM"], "seccomp: process_vm_readv"),
        .init("kcmp", ["EPERM"], "seccomp: kcmp"),
        .init("pidfd-getfd", ["EPERM"], "seccomp: pidfd_getfd"),
        .init("signal-foreign", ["ESRCH"], "namespaces: the process has no number here"),
        .init("new-user-namespace", ["EPERM"], "seccomp: unshare (beneath it: user.max_user_namespaces = 0)"),
        .init("clone-namespaces", ["EPERM"], "seccomp: clone makes threads only"),
        .init("clone3-namespaces", ["ENOSYS"], "seccomp: clone3 does not exist here"),
        .init("setns", ["EPERM"], "seccomp: setns"),
        .init("fork-bomb", ["EPERM"], "seccomp: clone makes threads only"),
        .init("io-uring", ["EPERM"], "seccomp: io_uring_setup"),
        .init("ia32-call", ["signal 31"], "seccomp: foreign architecture is killed"),
        .init("x32-call", ["signal 31"], "seccomp: x32 is killed"),
        .init("terminal-injection", ["EPERM"], "seccomp: ioctl compared in 32 bits"),
        .init("terminal-selection", ["EPERM"], "seccomp: ioctl compared in 32 bits"),
        .init("keyctl", ["EPERM"], "seccomp: keyctl"),
        .init("add-key", ["EPERM"], "seccomp: add_key"),
        .init("userfaultfd", ["EPERM"], "seccomp: userfaultfd"),
        .init("own-listener", ["EPERM"], "seccomp: seccomp"),
        .init("denial-flood", ["EPERM"], "seccomp: answered at a rate, by the host"),
        .init("personality", ["EPERM"], "seccomp: personality"),
        .init("core-dump", ["EPERM"], "limits: no core, for good"),
        .init("memfd-exec", ["EPERM"], "seccomp: memfd_create"),
        .init(
            "exec-from-tmp", ["ENOSYS"], "seccomp: exec passes only while init watches (beneath it: noexec, landlock)"),
        .init("second-exec", ["ENOSYS", "EPERM"], "seccomp: exec passes only while init watches"),
        .init("written-code", ["EACCES"], "no-new-code: PR_SET_MDWE"),
        .init("memory-heap", ["ENOMEM", "signal 9"], "limits: address space; cgroup: memory"),
        .init("memory-memfd", ["EPERM"], "seccomp: memfd_create"),
        .init("memory-shared", ["EPERM"], "seccomp: shmget"),
    ]

    /// Where the profile for ordinary programs lets a call through, a layer beneath has to hold; all else is as above.
    static let compat: [Expectation] =
        strict.filter { expectation in
            !programs.contains(expectation.attempt) && !differing.contains { $0.attempt == expectation.attempt }
        } + differing

    /// What shells and runtimes do all day.
    private static let programs = ["second-exec", "written-code"]

    /// With a socket that the host passed, in the profiles of plugins that may be passed one.
    static let streams: [Expectation] = [
        .init("tcp-reconnect", ["EPERM"], "seccomp: connect (beneath it: landlock)"),
        .init("tcp-fast-open", ["EPERM"], "seccomp: sendto with flags and an address"),
        .init("tcp-fast-open-message", ["EPERM"], "seccomp: sendmsg with flags"),
        .init("tcp-listen", ["EPERM"], "seccomp: listen"),
        .init("tcp-interfaces", ["EPERM"], "seccomp: ioctl compared in 32 bits"),
        .init("tcp-option", ["EPERM"], "seccomp: setsockopt but for TCP_NODELAY"),
        .init("tcp-own-address", ["ENOSYS"], "seccomp: getsockname"),
        .init("tcp-error-queue", ["EPERM"], "seccomp: recvmsg with MSG_ERRQUEUE"),
    ]

    private static let differing: [Expectation] = [
        .init("abstract-unix-socket", ["ECONNREFUSED", "EPERM"], "namespaces: own network; landlock: scope"),
        .init("fork-bomb", ["EAGAIN"], "limits: processes"),
        .init("exec-from-tmp", ["EACCES"], "files: noexec; landlock: nothing in /tmp is executed"),
    ]

    private init(_ attempt: String, _ outcomes: [String], _ layer: String) {
        (self.attempt, self.outcomes, self.layer) = (attempt, outcomes, layer)
    }
}

/// Each attempt twice in one test: outside it succeeds, or the test proves nothing; inside it is contained.
@Suite(.serialized) struct HostileTests {
    @Test(arguments: Person.available)
    func everyAttemptSucceedsOutsideAndIsContainedInAStrictJail(person: Person) async throws {
        try await tryAll(Expectation.strict, person, profile: "strict")
    }

    @Test(arguments: Person.available)
    func theJailOfPythonPluginsContainsTheSame(person: Person) async throws {
        try await tryAll(Expectation.strict, person, profile: "python")
    }

    @Test(arguments: Person.available)
    func whatOrdinaryProgramsMayCallIsContainedByTheLayersBeneath(person: Person) async throws {
        try await tryAll(Expectation.compat, person, profile: "compat")
    }

    @Test(arguments: Person.available, ["strict-tcp", "python-tcp"])
    func aSocketThatTheHostPassesStaysTheConnectionThatItIs(person: Person, profile: String) async throws {
        try await tryAll(Expectation.streams, person, profile: profile)
    }

    @Test(arguments: Person.available, ["strict-tcp", "python-tcp"])
    func theJailsOfPluginsWithPassedSocketsContainTheRestAsWell(person: Person, profile: String) async throws {
        try await tryAll(Expectation.strict, person, profile: profile)
    }

    @Test func everyAttemptOfTheProgramIsExpected() throws {
        let listed = try Person.ordinary.outside([Programs.hostile]).output.split(separator: "\n").map(String.init)
        #expect(Set(listed) == Set((Expectation.strict + Expectation.streams).map(\.attempt)))
    }

    private func tryAll(_ expectations: [Expectation], _ person: Person, profile: String) async throws {
        let launcher = try person.launcher()
        defer { launcher.close() }
        let surroundings = try Surroundings(person)
        defer { surroundings.close() }
        for expectation in expectations {
            let argument = surroundings.argument(expectation.attempt)
            let outside = try person.outside([Programs.hostile, expectation.attempt] + argument.outside)
            #expect(outside.status == 0, "outside: \(outside.output)")
            let stream = expectation.attempt.hasPrefix("tcp-") ? try surroundings.passedStream() : nil
            defer { stream?.close() }
            let inside = try await launcher.hostile(
                [expectation.attempt] + argument.inside, profile: profile, channel: stream?.jail)
            let outcome = Self.outcome(inside.output, inside.exit)
            #expect(expectation.outcomes.contains(outcome), "\(expectation.attempt) inside: \(outcome)")
            print(
                "contained [\(person.rawValue), \(profile)] \(expectation.attempt): outside succeeded,",
                "inside \(outcome) ← \(expectation.layer)")
        }
    }

    private static func outcome(_ output: String, _ exit: JailExit) -> String {
        if case .signalled(let number) = exit { return "signal \(number)" }
        return output.split(separator: " ").last.map(String.init) ?? "\(exit)"
    }
}

/// What the attempts reach for outside: a home, a process, a listener, and descriptors left open in this process.
private struct Surroundings {
    private let home: String
    private let listener: Int32
    private let streams: LoopbackListener
    private let name = "nexus-hostile-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    private let sleeper = Process()
    private let leaked: [Int32]

    init(_ person: Person) throws {
        let folder = "/tmp/nexus-home-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o755)
        home = "\(folder)/secret"
        try "private".write(toFile: home, atomically: true, encoding: .utf8)
        chmod(home, 0o644)
        listener = try Self.listen(name)
        streams = try LoopbackListener()
        // Deliberately without close-on-exec: a host makes such mistakes, and the jail must not inherit them.
        leaked = [open("/etc/hostname", O_RDONLY), open("/", O_RDONLY | O_DIRECTORY)]
        let user = person == .ordinary && getuid() == 0 ? Programs.ordinary : []
        sleeper.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        sleeper.arguments = user + ["sleep", "60"]
        sleeper.standardOutput = FileHandle.nullDevice
        sleeper.standardError = FileHandle.nullDevice
        try sleeper.run()
        usleep(100_000)
    }

    func argument(_ attempt: String) -> (outside: [String], inside: [String]) {
        switch attempt {
        case "read-host-home": ([home], [home])
        case "read-proc1-environ": (["/proc/\(sleeper.processIdentifier)/environ"], [])
        case "proc-root": (["/proc/\(sleeper.processIdentifier)/root\("/etc/passwd")"], [])
        case "signal-foreign": (["\(sleeper.processIdentifier)"], ["\(sleeper.processIdentifier)"])
        case "write-outside-tmp": (["/var/tmp/nexus-written-\(getpid())"], ["/var/tmp/nexus-written-\(getpid())"])
        case "abstract-unix-socket": ([name], [name])
        case let attempt where attempt.hasPrefix("tcp-"): (["\(streams.port)"], [])
        default: ([], [])
        }
    }

    /// A channel with a real connection waiting in it, passed as `net.connect` passes it.
    func passedStream() throws -> PassedStream { try PassedStream(to: streams) }

    func close() {
        streams.close()
        kill(sleeper.processIdentifier, SIGKILL)
        for descriptor in leaked + [listener] { Glibc.close(descriptor) }
        try? FileManager.default.removeItem(atPath: (home as NSString).deletingLastPathComponent)
    }

    private static func listen(_ name: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.dropFirst().copyBytes(from: Array(name.utf8)) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(bound == 0 && Glibc.listen(descriptor, 16) == 0)
        return descriptor
    }
}
