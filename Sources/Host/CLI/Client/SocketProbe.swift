internal import Foundation

/// Asks the kernel whether somebody listens on a Unix socket, before an HTTP client is set to it.
enum SocketProbe {
    /// - Throws: `CommandFailure` that says what is the matter and what to do.
    static func check(_ path: String, home: String) throws(CommandFailure) {
        let failure = connectError(path)
        switch failure {
        case 0: return
        case ENOENT, ECONNREFUSED, ENOTDIR:
            throw CommandFailure("no nexusd is running in \(home); start one with `nexus up`", exitCode: 3)
        case EACCES, EPERM: throw CommandFailure("you may not use the host in \(home); run as its owner or as root")
        case ENAMETOOLONG: throw CommandFailure("the socket's path \(path) is too long; use a shorter --home")
        default: throw CommandFailure("the socket \(path) cannot be used: \(String(cString: strerror(failure)))")
        }
    }

    /// connect(2) on a new socket; 0 or the errno.
    private static func connectError(_ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isShort = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
        guard isShort else { return ENAMETOOLONG }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return status == 0 ? 0 : errno
    }
}
