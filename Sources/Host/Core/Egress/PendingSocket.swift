internal import Egress
internal import Glibc
internal import Synchronization

/// A TCP connection that is being made without a thread waiting for it: connect(2) on a non-blocking socket, then
/// epoll(7) until it is writable, the time is over or the task is cancelled. Nothing is read from it.
final class PendingSocket: Sendable {
    private struct State {
        var waiter: CheckedContinuation<Void, Never>?
        var isOver = false
    }
    /// Of a socket that is not held here: whoever waits closes it, whatever still looks at this.
    private let descriptor: Int32
    private let poller: DescriptorPoller
    private let state = Mutex(State())

    private init(_ descriptor: Int32, _ poller: DescriptorPoller) {
        self.descriptor = descriptor
        self.poller = poller
    }

    /// - Returns: a socket in blocking mode whose peer is this address and port, as the kernel says.
    static func connect(
        to address: NetworkAddress, port: UInt16, milliseconds: Int64, on poller: DescriptorPoller
    ) async -> EgressConnector.Attempt<PassedSocket> {
        let name = socketAddress(address, port)
        let family = address.bytes.count == 4 ? AF_INET : AF_INET6
        let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = Glibc.socket(family, Int32(SOCK_STREAM.rawValue | flags), 0)
        guard descriptor >= 0 else { return .failed("no socket: errno \(errno)") }
        let socket = PassedSocket(descriptor)
        let started = name.withUnsafeBytes { bytes in
            guard let start = bytes.bindMemory(to: sockaddr.self).baseAddress else { return EINVAL }
            return Glibc.connect(descriptor, start, socklen_t(bytes.count)) == 0 ? 0 : errno
        }
        if started == EINPROGRESS {
            await PendingSocket(descriptor, poller).wait(milliseconds)
        } else if started != 0 {
            return .failed("errno \(started)")
        }
        return judge(socket, name, milliseconds)
    }

    /// Returns once the connection is made or has failed, and at the latest after so long.
    private func wait(_ milliseconds: Int64) async {
        let ticket = poller.watch(descriptor) { [self] _, _ in end() }
        poller.change(descriptor, ticket, to: [.readable, .writable])
        let timer = Task { [self] in
            try await Task.sleep(for: .milliseconds(milliseconds))
            end()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state in
                    if !state.isOver { state.waiter = waiter }
                    return state.isOver
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            end()
        }
        timer.cancel()
        poller.forget(descriptor, ticket)
    }

    private func end() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            state.isOver = true
            return state.waiter
        }
        waiter?.resume()
    }

    private static func judge(
        _ socket: PassedSocket, _ name: [UInt8], _ milliseconds: Int64
    ) -> EgressConnector.Attempt<PassedSocket> {
        var failure: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket.descriptor, SOL_SOCKET, SO_ERROR, &failure, &length)
        if Task.isCancelled { return .failed("the call was cancelled") }
        guard failure == 0 else { return .failed("errno \(failure)") }
        var peer = [UInt8](repeating: 0, count: name.count)
        length = socklen_t(peer.count)
        let found = peer.withUnsafeMutableBytes { bytes in
            bytes.bindMemory(to: sockaddr.self).baseAddress.map { getpeername(socket.descriptor, $0, &length) } ?? -1
        }
        guard found == 0 else {
            return .failed(errno == ENOTCONN ? "no answer within \(milliseconds) ms" : "errno \(errno)")
        }
        guard peer == name else { return .wrongPeer }
        // Time stamps, which a plugin may ask for with each message, come without the packet and its addresses.
        var option: Int32 = 1 << 11
        guard setsockopt(socket.descriptor, SOL_SOCKET, 37, &option, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            return .failed("SO_TIMESTAMPING: errno \(errno)")
        }
        let status = fcntl(socket.descriptor, F_GETFL)
        guard status >= 0, fcntl(socket.descriptor, F_SETFL, status & ~O_NONBLOCK) == 0 else {
            return .failed("errno \(errno)")
        }
        return .connected(socket)
    }

    /// `struct sockaddr_in` or `sockaddr_in6` as ip(7) and ipv6(7) lay them out, by offset.
    private static func socketAddress(_ address: NetworkAddress, _ port: UInt16) -> [UInt8] {
        let isOld = address.bytes.count == 4
        let family = withUnsafeBytes(of: UInt16(isOld ? AF_INET : AF_INET6)) { Array($0) }
        let head = family + [UInt8(port >> 8), UInt8(port & 0xFF)]
        let padding = [UInt8](repeating: 0, count: isOld ? 8 : 4)
        return isOld ? head + address.bytes + padding : head + padding + address.bytes + [0, 0, 0, 0]
    }
}
