import AuditLog
import Foundation
import JSONBytes
import PluginABI
import Synchronization
import Testing

@testable import HostCore
@testable import HostSurfaces

/// A form over a real store and audit log in a temporary home, and a browser's part in it.
final class FormHost: Sendable {
    let home: Home
    let secrets: SecretStore
    let requests: SecretRequests
    let form: SecretForm
    let time = Mutex<UInt64>(1_000)
    private let audit: AuditLog

    init() throws {
        var template = Array("/tmp/nexus-form-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        home = Home(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        let database = try Database(path: home.database)
        secrets = SecretStore(database: database, key: try MasterKey.load(home).key)
        audit = try AuditLog(directory: home.audit)
        let later = Later()
        requests = SecretRequests(secrets: secrets, audit: audit, base: { "http://127.0.0.1:8765" }, now: { later.now })
        form = SecretForm(requests: requests)
        later.host = self
    }

    deinit { try? FileManager.default.removeItem(atPath: home.path) }

    private final class Later: @unchecked Sendable {
        weak var host: FormHost?
        var now: UInt64 { host?.time.withLock { $0 } ?? 0 }
    }

    func invite(_ owner: String = "alice", names: [String] = ["key", "secret"]) throws -> SecretInvitation {
        try requests.open(
            MissingCredentials(plugin: "bot", names: names, scope: .user, owner: owner), asker: "agent")
    }

    func stored(_ name: String, of owner: String = "alice") throws -> String? {
        let address = SecretAddress(scope: .user, owner: owner, plugin: "bot", name: name)
        return try secrets.open(address)?.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    func entries() throws -> [JSONValue] { try audit.tail(1_000).map { try JSONValue(parsing: $0) } }

    /// A log that cannot grow: its descriptor leads to a full device.
    func breakAudit() throws {
        let full = open("/dev/full", O_RDWR | O_CLOEXEC)
        defer { close(full) }
        let path = "\(home.audit)/\(AuditLog.fileName)"
        let descriptors = (0..<4_096).filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
        }
        try #require(descriptors.count == 1)
        try #require(dup2(full, Int32(descriptors[0])) >= 0)
    }

    func respond(
        _ method: String, _ path: String, host: String? = "127.0.0.1:8765", headers: [(String, String)] = [],
        body: String = "", site: FormSite = .loopback(port: 8_765)
    ) -> WireResponse {
        form.respond(
            to: WireRequest(
                method: method, path: path, headers: headers.map { (name: $0.0, value: $0.1) },
                body: SecretBytes(copying: Array(body.utf8)),
                presented: Presented()), host: host, at: site)
    }

    func get(
        _ path: String, host: String? = "127.0.0.1:8765", headers: [(String, String)] = [],
        site: FormSite = .loopback(port: 8_765)
    ) -> WireResponse { respond("GET", path, host: host, headers: headers, site: site) }

    func load(_ invitation: SecretInvitation) -> WireResponse { get(invitation.path) }

    /// Sends the form that a page held, with everything right; tests change one thing. An empty cookie or mark is none.
    func send(
        _ invitation: SecretInvitation, page: WireResponse, code: String? = nil, values: [String]? = nil,
        host: String? = "127.0.0.1:8765",
        from origin: [(String, String)] = [("origin", "http://127.0.0.1:8765"), ("sec-fetch-site", "same-origin")],
        cookie: String? = nil, mark: String? = nil, type: String? = "application/x-www-form-urlencoded",
        extra: String = ""
    ) -> WireResponse {
        var headers = origin
        if let type { headers.append(("content-type", type)) }
        let sent = cookie ?? page.cookie
        if !sent.isEmpty { headers.append(("cookie", sent)) }
        var fields = [("code", code ?? invitation.code)]
        if mark != "" { fields.append(("csrf", mark ?? page.mark)) }
        for (index, value) in (values ?? ["value-of-key", "value-of-secret"]).enumerated() {
            fields.append(("value-\(index)", value))
        }
        let allowed = CharacterSet.alphanumerics
        let body = fields.map { "\($0.0)=\($0.1.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
        return respond(
            "POST", invitation.path, host: host, headers: headers, body: body.joined(separator: "&") + extra)
    }
}

extension SecretInvitation {
    var path: String { "/secret/\(url.split(separator: "/").last ?? "")" }
}

extension WireResponse {
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// As the browser would send it back.
    var cookie: String { header("set-cookie").map { String($0.prefix { $0 != ";" }) } ?? "" }

    /// The hidden field.
    var mark: String {
        let parts = text.components(separatedBy: "name=\"csrf\" value=\"")
        return parts.count == 2 ? String(parts[1].prefix { $0 != "\"" }) : ""
    }
}
