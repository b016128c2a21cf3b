internal import Glibc
internal import JSONBytes
internal import Registry
internal import Sandbox

/// From a request to the first frame on descriptor 3, against bubblewrap; one after the other in each round.
struct Starts {
    let helper: String
    let bundle: PluginBundle
    let bwrap: String
    /// Holds `true`, static, and the plugin's executable as `hello`.
    let folder: String

    func run(_ rounds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        var jail: [Int] = []
        var bwrapTrue: [Int] = []
        var bwrapHello: [Int] = []
        // The first rounds warm filters and page cache; they do not count.
        for round in -5..<rounds {
            let a = try await jailStart(launcher)
            let b = try bwrapToExit()
            let c = try bwrapToHello()
            guard round >= 0 else { continue }
            jail.append(a)
            bwrapTrue.append(b)
            bwrapHello.append(c)
        }
        return JSONObject([
            ("jail-hello", list(jail)), ("bwrap-true", list(bwrapTrue)), ("bwrap-hello", list(bwrapHello)),
        ])
    }

    /// Everything that the host does for a start is in the time: the sealed copy, the plan, the request, the report.
    private func jailStart(_ launcher: JailLauncher) async throws -> Int {
        var ends = try Self.pair()
        defer { close(ends[0]) }
        let start = nanoseconds()
        let executable = try SealedMemory.seal(bundle.executable, name: "hello")
        let jail: Jail
        do {
            defer {
                close(executable)
                close(ends[1])
            }
            jail = try await launcher.spawn(
                JailPolicy(name: "bench", program: .sealed, arguments: ["hello"]),
                descriptors: JailDescriptors(channel: ends[1], executable: executable))
        }
        try Self.awaitHello(&ends[0])
        let time = nanoseconds() - start
        jail.kill()
        _ = await jail.exited()
        return time
    }

    private func bwrapToExit() throws -> Int {
        let start = nanoseconds()
        let process = try spawn(program: "true", channel: nil)
        var status: Int32 = 0
        guard waitpid(process, &status, 0) == process, status == 0 else {
            throw BenchFailure("bwrap could not run true: status \(status)")
        }
        return nanoseconds() - start
    }

    private func bwrapToHello() throws -> Int {
        var ends = try Self.pair()
        defer { close(ends[0]) }
        let start = nanoseconds()
        let process = try spawn(program: "hello", channel: ends[1])
        close(ends[1])
        try Self.awaitHello(&ends[0])
        let time = nanoseconds() - start
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        return time
    }

    private func spawn(program: String, channel: Int32?) throws -> pid_t {
        let words = [
            "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "\(folder)/\(program)", "/\(program)",
            "/\(program)",
        ]
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        if let channel { posix_spawn_file_actions_adddup2(&actions, channel, 3) }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var process: pid_t = 0
        let failure = posix_spawn(&process, bwrap, &actions, nil, &pointers, &environment)
        guard failure == 0 else { throw BenchFailure("\(bwrap) could not be started: errno \(failure)") }
        return process
    }

    private static func pair() throws -> [Int32] {
        var ends: [Int32] = [-1, -1]
        // Not on 3, where bwrap's child is to find it without close-on-exec.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw BenchFailure("socketpair failed: errno \(errno)")
        }
        for index in 0..<2 where ends[index] == 3 {
            ends[index] = fcntl(3, F_DUPFD_CLOEXEC, 10)
            close(3)
        }
        return ends
    }

    /// Reads one frame: a header of 16 bytes, kind 1, and its body.
    private static func awaitHello(_ descriptor: inout Int32) throws {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        var have = 0
        var need = 16
        while have < need {
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&event, 1, 10_000) == 1 else { throw BenchFailure("no hello within 10 s") }
            let room = bytes.count - have
            let count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress.map { $0 + have }, room, 0) }
            guard count > 0 else { throw BenchFailure("the plugin closed its socket before hello") }
            have += count
            guard have >= 16 else { continue }
            guard bytes[4] == 1 else { throw BenchFailure("the first frame is of kind \(bytes[4]), not hello") }
            need = 16 + Int(bytes[0]) + Int(bytes[1]) << 8
            guard need <= bytes.count else { throw BenchFailure("hello has \(need) bytes") }
        }
    }
}
