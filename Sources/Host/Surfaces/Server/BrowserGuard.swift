/// Keeps web pages out of the loopback listener: a page's script can reach 127.0.0.1, but not choose its Host and
/// Origin.
struct BrowserGuard: Sendable {
    let port: Int

    /// Why a request is refused; nil if it may pass. Host must name this listener (DNS rebinding), and a request that
    /// a page made must come from this listener too.
    func refusal(host: String?, origin: String?) -> String? {
        let names = ["127.0.0.1:\(port)", "localhost:\(port)", "[::1]:\(port)"]
        guard let host, names.contains(host.lowercased()) else {
            return "the Host header \"\(host ?? "")\" is not this server's; use 127.0.0.1:\(port)"
        }
        guard let origin else { return nil }
        guard names.contains(where: { "http://\($0)" == origin.lowercased() }) else {
            return "requests from the web origin \"\(origin)\" are not accepted"
        }
        return nil
    }
}
