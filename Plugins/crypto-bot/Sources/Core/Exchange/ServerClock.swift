internal import PluginSDK

/// The exchange's clock as far as it is known: the local one, and by how much that was off when last compared.
final class ServerClock {
    /// Local Unix time in milliseconds.
    let local: () -> Int
    private var offset = 0

    init(local: @escaping () -> Int = { Int(clamping: Clock.unixMilliseconds()) }) { self.local = local }

    /// Unix time in milliseconds by the exchange's clock.
    var now: Int { local() + offset }

    /// Takes the server's time to be that of the middle of the round trip.
    func synchronise(serverTime: Int, between sent: Int, and received: Int) {
        offset = serverTime - (sent + (received - sent) / 2)
    }
}
