#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Which descriptor came with which frame (abi-v1.md, ABI-7.22).
///
/// A recvmsg(2) that brings a descriptor ends within the frame that it belongs to (unix(7)), so it belongs to the frame
/// that holds the last byte received with it.
struct PassedDescriptors: ~Copyable {
    /// Bytes received, and bytes of frames that were handed out.
    private var received = 0
    private var handedOut = 0
    /// Descriptors of frames that are not complete yet, and the count of bytes received with each.
    private var waiting: [(end: Int, descriptor: Int32)] = []
    /// That of the frame handed out last.
    private var current: Int32?

    init() {}

    deinit {
        if let current { close(current) }
        for entry in waiting { close(entry.descriptor) }
    }

    /// As read(2), with room for one descriptor: without it the kernel would close one that comes.
    mutating func receive(from socket: Int32, into chunk: UnsafeMutableRawBufferPointer) -> Int {
        var part = iovec(iov_base: chunk.baseAddress, iov_len: chunk.count)
        // struct cmsghdr, the descriptor, and padding: CMSG_SPACE(sizeof(int)) of cmsg(3) on 64-bit machines.
        var control: (length: UInt64, level: Int32, type: Int32, descriptor: Int32, padding: Int32) = (0, 0, 0, -1, 0)
        let count = withUnsafeMutablePointer(to: &part) { part in
            withUnsafeMutablePointer(to: &control) { control in
                var message = msghdr()
                message.msg_iov = part
                message.msg_iovlen = 1
                message.msg_control = UnsafeMutableRawPointer(control)
                message.msg_controllen = 24
                return recvmsg(socket, &message, Self.closeOnExec)
            }
        }
        guard count > 0 else { return count }
        received += count
        if control.length >= 20, control.level == SOL_SOCKET, control.type == Self.rights, control.descriptor >= 0 {
            waiting.append((received, control.descriptor))
        }
        return count
    }

    /// A whole frame leaves the decoder: what came with it is `take`'s.
    mutating func delivered(_ frame: borrowing Frame) {
        handedOut += ABILimits.headerBytes + frame.body.count
        guard let first = waiting.first, first.end <= handedOut else { return }
        waiting.removeFirst()
        current = first.descriptor
    }

    mutating func take() -> Int32? {
        defer { current = nil }
        return current
    }

    /// Closes what nobody took.
    mutating func drop() {
        if let descriptor = take() { close(descriptor) }
    }

    /// SCM_RIGHTS and MSG_CMSG_CLOEXEC of linux/socket.h, which not every C library shows to Swift as numbers.
    private static let rights: Int32 = 1
    private static let closeOnExec: Int32 = 0x4000_0000
}
