import CJail
import Glibc
import Testing

/// A TCP server of this machine that greets whoever is accepted, when the test says so.
final class LocalTCP: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init(backlog: Int32 = 16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let own = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(own, $0, length) == 0 && listen(own, backlog) == 0 && getsockname(own, $0, &length) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    /// Accepts one that is there; nil if nobody is.
    func accept() -> Int32? {
        let client = Glibc.accept(descriptor, nil, nil)
        return client >= 0 ? client : nil
    }

    /// Fills the queue of those that nobody has accepted, so that later ones get no answer (listen(2)).
    func fill() throws -> [Int32] {
        try (0..<4).map { index in
            let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
            let client = socket(AF_INET, Int32(flags), 0)
            try #require(client >= 0)
            var address = Self.address(port)
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            // The first one fills the queue; those after it stay without an answer.
            var room = pollfd(fd: client, events: Int16(POLLOUT), revents: 0)
            if index == 0 { try #require(poll(&room, 1, 60_000) == 1) }
            return client
        }
    }

    /// How many sockets of this machine wait for an answer from here (proc(5), tcp: state 02 is SYN_SENT).
    func unanswered() throws -> Int {
        let file = try #require(fopen("/proc/net/tcp", "r"))
        defer { fclose(file) }
        let place = " 0100007F:" + String(UInt32(port) + 0x10000, radix: 16, uppercase: true).suffix(4) + " 02 "
        var line = [CChar](repeating: 0, count: 512)
        var count = 0
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.contains(place) { count += 1 }
        }
        return count
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

/// A pipe that shows whether somebody still holds its writing end.
final class Witness: Sendable {
    let writing: Int32
    private let reading: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(cjail_pipe(&ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        (reading, writing) = (ends[0], ends[1])
    }

    deinit { close(reading) }

    /// No copy of the writing end is left anywhere. Waits for that; false if it never comes.
    func isReleased() async throws -> Bool {
        var byte: UInt8 = 0
        for _ in 0..<10_000 {
            if read(reading, &byte, 1) == 0 { return true }
            try await Task.sleep(for: .milliseconds(1))
        }
        return false
    }

    /// Somebody holds it.
    var isHeld: Bool {
        var byte: UInt8 = 0
        return read(reading, &byte, 1) < 0 && errno == EAGAIN
    }
}
