#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A TCP connection that the host made and handed over (permission `net.connect`). It is closed where its owner goes,
/// and outlives the call that asked for it only in an owner that does.
///
///     let database = try call.connect("db.example.com", port: 5432)
///     try database.write(Array("PING\r\n".utf8))
///     let answer = try database.read()
///
/// `read` and `write` wait, and hold up their thread. An asynchronous tool with much to wait for gives the descriptor
/// to what it uses for that (`release`). The jail lets a plugin read, write, shut down and close such a socket, set
/// TCP_NODELAY, and nothing else.
public struct Connection: ~Copyable, Sendable {
    /// A connected stream socket in blocking mode.
    public let descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { Self.end(descriptor) }

    /// Waits for bytes and returns what has come, at most `limit` of them; none at the end of the stream.
    ///
    /// - Throws: `unavailable` with the errno.
    public func read(upTo limit: Int = 1 << 16) throws(ToolError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max(limit, 1)) { buffer, count in
            var taken = -1
            repeat { taken = recv(descriptor, buffer.baseAddress, buffer.count, 0) } while taken < 0 && errno == EINTR
            if taken < 0 { failure = errno }
            count = max(taken, 0)
        }
        guard failure == 0 else { throw Self.failed("read from", failure) }
        return bytes
    }

    /// Writes all of it.
    ///
    /// - Throws: `unavailable` with the errno.
    public func write(_ bytes: some Collection<UInt8>) throws(ToolError) {
        let all = Array(bytes)
        var sent = 0
        while sent < all.count {
            let count = all.withUnsafeBytes {
                send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failed("write to", errno) }
            sent += count
        }
    }

    /// Tells the peer that nothing more will be written; what it writes can still be read.
    public func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes it now.
    public consuming func close() {}

    /// Hands the descriptor to the caller, who closes it.
    public consuming func release() -> Int32 {
        let descriptor = descriptor
        discard self
        return descriptor
    }

    private static func end(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
            _ = Musl.close(descriptor)
        #endif
    }

    private static func failed(_ verb: String, _ number: Int32) -> ToolError {
        ToolError(.unavailable, "the connection could not be \(verb): errno \(number)", retryable: true)
    }
}

/// A descriptor between its frame and the tool that asked for it. Closed if nobody takes it.
final class ArrivedSocket {
    private var descriptor: Int32?

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = descriptor.map(Connection.init(descriptor:)) }

    func take() -> Connection? {
        defer { descriptor = nil }
        return descriptor.map(Connection.init(descriptor:))
    }
}

extension ToolCall {
    static func request(_ host: String, _ port: Int) -> Message.Payload {
        Message.Payload(["host": .string(host), "port": JSONValue(port)])
    }

    /// The socket that came with the answer on a stream.
    func connection(_ stream: UInt64) throws(ToolError) -> Connection {
        let socket = session.guarded { sockets.removeValue(forKey: stream) }
        if let connection = socket?.take() { return connection }
        throw ToolError(.internalError, "the host's answer to net.connect brought no socket")
    }
}
