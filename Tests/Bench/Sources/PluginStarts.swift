internal import Glibc
internal import JSONBytes
internal import PluginABI

/// From exec to `started`: a plugin without a jail, on a socketpair, taken through hello, welcome, initialize and start
/// by frames that are ready beforehand. Beside it, where the plugin is a script, the bare start of its interpreter.
struct PluginStarts {
    /// The plugin's executable and its arguments.
    let command: [String]
    /// A program that starts and ends, to compare with, such as `/usr/bin/python3 -c pass`; may be empty.
    let bare: [String]

    /// How many run side by side when their memory is measured.
    private static let running = 8

    /// Samples of `start` (exec to `started`), `hello` (exec to `hello`) and `bare` (exec to exit), in nanoseconds.
    func run(_ rounds: Int) throws -> JSONObject {
        var (starts, hellos, bares): ([Int], [Int], [Int]) = ([], [], [])
        // The first rounds warm the page cache; they do not count.
        for round in -5..<rounds {
            let (hello, started) = try start()
            let plain = try bare.isEmpty ? 0 : startAndEnd()
            guard round >= 0 else { continue }
            hellos.append(hello)
            starts.append(started)
            if !bare.isEmpty { bares.append(plain) }
        }
        var samples = JSONObject([("start", list(starts)), ("hello", list(hellos))])
        if !bare.isEmpty { samples["bare"] = list(bares) }
        samples["pss"] = list(try memory(of: Self.running))
        return samples
    }

    private static let welcome = Message.welcome(version: 1, instance: "bench-1", bodyLimit: 4 << 20).frame().encoded()
    private static let initialize = Message.initialize(configuration: Array("{}".utf8)).frame().encoded()
    private static let begin = Message.start.frame().encoded()

    private func start() throws -> (hello: Int, started: Int) {
        let since = nanoseconds()
        let plugin = try Started(command)
        defer { plugin.end() }
        try plugin.expect(.hello)
        let hello = nanoseconds() - since
        try handshake(plugin)
        return (hello, nanoseconds() - since)
    }

    private func handshake(_ plugin: Started) throws {
        try plugin.put(Self.welcome + Self.initialize)
        try plugin.expect(.initialized)
        try plugin.put(Self.begin)
        try plugin.expect(.started)
    }

    private func startAndEnd() throws -> Int {
        let since = nanoseconds()
        let process = try Started.spawn(bare, channel: nil)
        var status: Int32 = 0
        guard waitpid(process, &status, 0) == process, status == 0 else {
            throw BenchFailure("\(bare.joined(separator: " ")) ended with status \(status)")
        }
        return nanoseconds() - since
    }

    /// The proportional set size of each of several plugins that have started and wait, in bytes (smaps_rollup of
    /// proc(5)).
    private func memory(of count: Int) throws -> [Int] {
        let plugins = try (0..<count).map { _ in try Started(command) }
        defer { for plugin in plugins { plugin.end() } }
        for plugin in plugins {
            try plugin.expect(.hello)
            try handshake(plugin)
        }
        return try plugins.map { try $0.proportionalBytes() }
    }
}

/// One plugin process and the host's end of its socket.
private final class Started {
    private let process: pid_t
    private let socket: Int32
    private var decoder = FrameDecoder()
    private var chunk = [UInt8](repeating: 0, count: 4_096)

    init(_ command: [String]) throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw BenchFailure("socketpair failed: errno \(errno)")
        }
        // Not on 3, where the child is to find it without close-on-exec.
        for index in 0..<2 where ends[index] == 3 {
            ends[index] = fcntl(3, F_DUPFD_CLOEXEC, 10)
            close(3)
        }
        socket = ends[0]
        process = try Self.spawn(command, channel: ends[1])
        close(ends[1])
    }

    static func spawn(_ command: [String], channel: Int32?) throws -> pid_t {
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        if let channel { posix_spawn_file_actions_adddup2(&actions, channel, 3) }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var process: pid_t = 0
        let failure = posix_spawn(&process, command[0], &actions, nil, &words, &environment)
        guard failure == 0 else { throw BenchFailure("\(command[0]) could not be started: errno \(failure)") }
        return process
    }

    func put(_ bytes: [UInt8]) throws {
        guard write(socket, bytes, bytes.count) == bytes.count else { throw BenchFailure("the plugin is gone") }
    }

    func expect(_ kind: FrameKind) throws {
        while true {
            if let frame = try decoder.next() {
                guard frame.kind == kind else { throw BenchFailure("the plugin sent \(frame) instead of \(kind)") }
                return
            }
            let count = read(socket, &chunk, chunk.count)
            guard count > 0 else { throw BenchFailure("the plugin hung up instead of \(kind)") }
            decoder.append(chunk[..<count])
        }
    }

    func proportionalBytes() throws -> Int {
        guard let file = fopen("/proc/\(process)/smaps_rollup", "r") else {
            throw BenchFailure("/proc/\(process)/smaps_rollup cannot be read: errno \(errno)")
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split(separator: " ")
            if words.first == "Pss:", words.count > 1, let kilobytes = Int(words[1]) { return kilobytes << 10 }
        }
        throw BenchFailure("/proc/\(process)/smaps_rollup has no Pss")
    }

    func end() {
        close(socket)
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }
}
