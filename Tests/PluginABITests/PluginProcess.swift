import Glibc
import PluginABI
import SpecVectors
import Testing

/// A fixture plugin as a child process, unjailed, and the host's side of its socket. Every frame in either direction
/// goes through one Lifecycle, as it would in a host.
final class PluginProcess {
    private let socket: Int32
    private let process: pid_t
    private var decoder = FrameDecoder()
    private(set) var lifecycle = Lifecycle()
    private var lastStream: UInt64 = 0

    /// The fixtures, built where builds go: only what has changed is compiled again.
    private static let directory: Result<String, any Error> = Result {
        let path = "\(SpecFiles.root)/.build/fixture-plugins"
        let make = try spawn(
            "/usr/bin/make",
            ["make", "-s", "-C", "\(SpecFiles.root)/Tests/Fixtures/plugins", "OUT=\(path)", "echo", "rogue"],
            ["PATH=/usr/bin:/bin"], socket: nil)
        try #require(wait(for: make) == 0, "the fixture plugins do not build")
        return path
    }

    /// Starts `OUT/name/bin/executable`.
    init(_ name: String, executable: String, arguments: [String] = []) throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        socket = ends[0]
        defer { close(ends[1]) }
        let path = try Self.directory.get() + "/\(name)/bin/\(executable)"
        process = try Self.spawn(path, [executable] + arguments, ["LANG=C"], socket: ends[1])
    }

    deinit {
        close(socket)
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String], socket: Int32?
    ) throws
        -> pid_t
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let socket {
            posix_spawn_file_actions_adddup2(&actions, socket, 3)
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        }
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var process: pid_t = 0
        try #require(posix_spawn(&process, path, &actions, nil, &argv, &envp) == 0, "cannot start \(path)")
        return process
    }

    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// The wait status, once the process ends by itself.
    func end() -> Int32 { Self.wait(for: process) }

    func hangUp() { shutdown(socket, Int32(SHUT_RDWR)) }

    func send(_ message: Message, stream: UInt64 = 0) throws {
        let frame = message.frame(stream: stream)
        _ = try lifecycle.advance(on: frame.kind, stream: stream, from: .host)
        if frame.kind == .call { lastStream = stream }
        if frame.kind == .welcome { decoder.bodyLimit = ABILimits.bodyBytes }
        var rest = frame.encoded()[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            try #require(count > 0, "the plugin is gone")
            rest = rest.dropFirst(count)
        }
    }

    /// The plugin's next message; nil at the end of the stream.
    func receive() throws -> (message: Message, stream: UInt64)? {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let frame = try decoder.next() {
                _ = try lifecycle.advance(on: frame.kind, stream: frame.stream, from: .plugin)
                if frame.kind.isTerminal, frame.stream > lastStream {
                    throw ABIError(.unknownStream, "stream \(frame.stream) was never opened")
                }
                return (try Message(frame), frame.stream)
            }
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            try #require(poll(&ready, 1, 20_000) == 1, "the plugin says nothing")
            let count = read(socket, &chunk, chunk.count)
            guard count > 0 else { return nil }
            decoder.append(chunk[..<count])
        }
    }

    /// The next message, which must be of this kind and on this stream.
    @discardableResult
    func expect(_ kind: FrameKind, stream: UInt64 = 0) throws -> Message {
        let (message, seen) = try #require(try receive(), "the plugin hung up instead of \(kind)")
        try #require(message.kind == kind && seen == stream, "\(message) on stream \(seen) instead of \(kind)")
        return message
    }

    /// From hello to running.
    func start() throws {
        try initialize()
        try send(.start)
        try expect(.started)
    }

    /// From hello to initialized.
    func initialize() throws {
        guard case .hello(let versions, _, _) = try expect(.hello) else { return }
        let version = try VersionRange.supported.highestCommon(with: versions)
        try send(.welcome(version: version, instance: "fixture-1", bodyLimit: UInt32(ABILimits.bodyBytes)))
        try send(.initialize(configuration: Array("{}".utf8)))
        try expect(.initialized)
    }

    func call(_ tool: String, _ arguments: String = "{}", stream: UInt64, credentials: [Credential] = []) throws {
        try send(
            .call(
                Message.Call(
                    tool: tool, arguments: Array(arguments.utf8), deadline: 4_000_000_000_000, requestID: "r\(stream)",
                    credentials: credentials)), stream: stream)
    }

    /// The JSON of the result that comes next on this stream.
    func result(stream: UInt64) throws -> String {
        guard case .result(let payload) = try expect(.result, stream: stream) else { return "" }
        return String(decoding: payload.json, as: UTF8.self)
    }

    static let soon: UInt64 = 4_000_000_000_000
}
