internal import Glibc

/// The host's side of a program on descriptor 3.
enum Channel {
    /// The host's end and the program's, with close-on-exec; neither is 3, where the program is to find its own.
    static func pair() throws -> [Int32] {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw BenchFailure("socketpair failed: errno \(errno)")
        }
        for index in 0..<2 where ends[index] == 3 {
            ends[index] = fcntl(3, F_DUPFD_CLOEXEC, 10)
            close(3)
        }
        return ends
    }

    /// posix_spawn(3) with an empty environment.
    static func spawn(_ words: [String], channel: Int32?) throws -> pid_t {
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        if let channel { posix_spawn_file_actions_adddup2(&actions, channel, 3) }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var process: pid_t = 0
        let failure = posix_spawn(&process, words[0], &actions, nil, &pointers, &environment)
        guard failure == 0 else { throw BenchFailure("\(words[0]) could not be started: errno \(failure)") }
        return process
    }

    /// Reads one frame: a header of 16 bytes, kind 1, and its body.
    static func awaitHello(_ descriptor: Int32) throws {
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
