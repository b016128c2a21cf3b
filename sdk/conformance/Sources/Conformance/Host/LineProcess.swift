internal import Glibc
internal import Synchronization

/// A program of its own process group, spoken to by lines.
final class LineProcess: Sendable {
    private let pid: pid_t
    private let socket: Int32
    private let isOpen = Mutex(true)

    private init(pid: pid_t, socket: Int32) {
        self.pid = pid
        self.socket = socket
    }

    deinit { close(socket) }

    static func start(_ command: [String]) throws(HostDriverFailure) -> LineProcess {
        var ends: [Int32] = [-1, -1]
        // One socket for both directions: unlike a pipe it can be made close-on-exec at once.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard let name = command.first, socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw HostDriverFailure("no socket for the driver: \(String(cString: strerror(errno)))")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, name, &actions, &attributes, &words, environ)
        close(ends[1])
        guard status == 0 else {
            close(ends[0])
            throw HostDriverFailure("the driver \(name) cannot be started: \(String(cString: strerror(status)))")
        }
        return LineProcess(pid: pid, socket: ends[0])
    }

    /// Reads lines on a thread of its own until the program's output ends; then nil, once.
    func read(_ receive: @escaping @Sendable ([UInt8]?) -> Void) {
        let work = Unmanaged.passRetained(Work { [self] in readLines(receive) })
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                context.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        if status == 0 {
            pthread_detach(thread)
        } else {
            work.release()
            receive(nil)
        }
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private func readLines(_ receive: ([UInt8]?) -> Void) {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(socket, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            var rest = buffer[..<count]
            while let end = rest.firstIndex(of: 0x0A) {
                receive(pending + rest[..<end])
                pending = []
                rest = rest[(end + 1)...]
            }
            pending += rest
        }
        receive(nil)
    }

    func write(_ line: [UInt8]) {
        isOpen.withLock { isOpen in
            var rest = line[...]
            while isOpen, !rest.isEmpty {
                let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Closes its input, gives it two seconds to end by itself, and kills its group.
    func end() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        shutdown(socket, Int32(SHUT_WR))
        var status: Int32 = 0
        for _ in 0..<200 where waitpid(pid, &status, WNOHANG) == 0 { usleep(10_000) }
        kill(-pid, SIGKILL)
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        shutdown(socket, Int32(SHUT_RDWR))
    }
}
