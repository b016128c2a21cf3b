/// Where a form is served: the names that a browser may call it by. Any other Host is a name that somebody else pointed
/// here (DNS rebinding).
struct FormSite: Sendable {
    /// In small letters, with the port.
    var hosts: [String]
    var isSecure: Bool

    static func loopback(port: Int) -> FormSite {
        FormSite(hosts: ["127.0.0.1:\(port)", "localhost:\(port)", "[::1]:\(port)"], isSecure: false)
    }

    /// The listener with a certificate. The standard port is left out by browsers.
    static func secure(names: [String], port: Int) -> FormSite {
        let names = names.map { $0.lowercased() }
        return FormSite(hosts: names.map { "\($0):\(port)" } + (port == 443 ? names : []), isSecure: true)
    }

    func serves(_ host: String?) -> Bool { host.map { hosts.contains($0.lowercased()) } ?? false }

    /// Whether a post came from a page of this listener. Our pages forbid to tell where they are from, so that browsers
    /// send `Origin: null` with them (Fetch Standard, section 3.2); then `Sec-Fetch-Site`, which no page can forge,
    /// has to say it. Without that header, which old browsers lack, only our own origin will do.
    func isOwn(origin: String?, fetchSite: String?) -> Bool {
        let isOwn = origin.map { origin in hosts.contains { "\(scheme)://\($0)" == origin.lowercased() } } ?? false
        guard let fetchSite else { return isOwn }
        return fetchSite == "same-origin" && (isOwn || origin == "null")
    }

    private var scheme: String { isSecure ? "https" : "http" }
}
