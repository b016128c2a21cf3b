import CJail
import Glibc
import Testing

/// A TCP server of this machine that accepts nothing and lets everybody wait.
struct LoopbackListener {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let own = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(own, $0, length) == 0 && listen(own, 1_024) == 0 && getsockname(own, $0, &length) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
    }

    /// A connected socket, by connect(2).
    func connect() throws -> Int32 {
        let stream = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(stream, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isConnected)
        return stream
    }

    func close() { Glibc.close(descriptor) }
}

/// Both ends of a plugin's channel, with one byte in it and a connected TCP socket attached to that byte.
struct PassedStream {
    let jail: Int32
    private let host: Int32

    init(to listener: LoopbackListener) throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        (host, jail) = (ends[0], ends[1])
        let stream = try listener.connect()
        defer { Glibc.close(stream) }
        try #require(cjail_pass(host, [1], 1, stream) == 1)
    }

    func close() {
        Glibc.close(host)
        Glibc.close(jail)
    }
}
