internal import Hummingbird
internal import NIOCore

/// A request's connection, so that the kernel can be asked who is at its other end.
struct HostRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The peer's user id by SO_PEERCRED (unix(7)); nil where the kernel does not say.
    func peerUserID() async -> UInt32? {
        guard let provider = channel as? any SocketOptionProvider else { return nil }
        let credentials: PeerCredentials? = try? await provider.unsafeGetSocketOption(
            level: SocketOptionLevel(SOL_SOCKET_LEVEL), name: SocketOptionName(SO_PEERCRED_NAME)
        ).get()
        return credentials?.uid
    }

    /// `struct ucred`.
    private struct PeerCredentials: Sendable {
        var pid: Int32
        var uid: UInt32
        var gid: UInt32
    }

    // <asm-generic/socket.h>; the same on every Linux that Swift runs on.
    private let SOL_SOCKET_LEVEL = 1
    private let SO_PEERCRED_NAME = 17
}
