import Foundation
import Glibc
import Synchronization
import Testing

@testable import Egress

/// Sockets of this machine's loopback, for tests that speak to a real proxy and a real server.
enum Loopback {
    /// A listening socket on a free port.
    static func listener() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        try #require(withAddress(port: 0) { bind(descriptor, $0, $1) } == 0)
        try #require(listen(descriptor, 16) == 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        try #require(named == 0)
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    static func withAddress<Value>(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// A server that greets with its name, then sends back what it gets. Counts whom it has met.
final class EchoServer: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let met = Mutex(0)

    var connections: Int { met.withLock { $0 } }

    init(greeting: String) throws {
        (descriptor, port) = try Loopback.listener()
        let listening = descriptor
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listening, nil, nil)
                guard client >= 0 else { return }
                self?.met.withLock { $0 += 1 }
                Thread.detachNewThread { Self.serve(client, greeting) }
            }
        }
    }

    private static func serve(_ client: Int32, _ greeting: String) {
        _ = send(client, greeting, greeting.utf8.count, Int32(MSG_NOSIGNAL))
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(client, &bytes, bytes.count, 0)
            guard count > 0, send(client, bytes, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        close(client)
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }
}

/// A client. Five minutes without a byte end a test that hangs, and decide nothing else. Its reads block threads of
/// their own: the proxy under test needs Swift's few.
final class Client: Sendable {
    let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var patience = timeval(tv_sec: 300, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let copy = descriptor
        try #require(Loopback.withAddress(port: port) { connect(copy, $0, $1) } == 0, "errno \(errno)")
    }

    deinit { close(descriptor) }

    func say(_ text: String) { _ = send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) }

    func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Reads until the text has come, or the end.
    func read(until text: String) async -> String { await collect { $0.contains(text) } }

    /// The other side has closed, and nothing is left to read.
    var hasEnded: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) == 0
    }

    func readToEnd() async -> String { await collect { _ in false } }

    private func collect(until isEnough: @escaping @Sendable (String) -> Bool) async -> String {
        await onAThread { [self] in
            var all = ""
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while !isEnough(all) {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { break }
                all += String(decoding: bytes.prefix(count), as: UTF8.self)
            }
            return all
        }
    }
}

func onAThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
