import Foundation

/// One HTTP request as bytes, so that a test may send what no client would.
enum RawHTTP {
    static func send(port: Int, _ head: [String], body: String = "") throws -> (status: Int, text: String) {
        let connection = try RawConnection(port: port)
        connection.send(head + ["Content-Length: \(body.utf8.count)", "Connection: close"], body: body)
        let text = connection.read()
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0, text)
    }

    static func mcp(
        port: Int, token: String?, host: String? = nil, origin: String? = nil, body: String
    ) throws -> (status: Int, text: String) {
        var head = ["POST /mcp HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")", "Content-Type: application/json"]
        if let token { head.append("Authorization: Bearer \(token)") }
        if let origin { head.append("Origin: \(origin)") }
        return try send(port: port, head, body: body)
    }

    static let initialize = """
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
        "clientInfo":{"name":"raw","version":"1"}}}
        """
}

/// A connection to the loopback listener that a test writes to, reads from and drops when it likes.
final class RawConnection {
    private let descriptor: Int32
    private var isOpen = true

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(descriptor)
            throw Failure("no connection to port \(port): errno \(errno)")
        }
    }

    deinit { drop() }

    /// A port that nobody listens on now.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure("no free port: errno \(errno)") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    /// - Returns: false if the other side is gone.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } >= 0
    }

    func send(_ head: [String], body: String) { send((head + ["", body]).joined(separator: "\r\n")) }

    /// What comes until the other side closes, or until this text has come.
    func read(until end: String? = nil) -> String {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer.append(contentsOf: buffer[..<count])
            if let end, String(decoding: answer, as: UTF8.self).contains(end) { break }
        }
        return String(decoding: answer, as: UTF8.self)
    }

    /// Closes; with a reset if it is to be rude.
    func drop(reset: Bool = false) {
        guard isOpen else { return }
        isOpen = false
        var rude = linger(l_onoff: 1, l_linger: 0)
        if reset { setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &rude, socklen_t(MemoryLayout<linger>.size)) }
        close(descriptor)
    }
}
