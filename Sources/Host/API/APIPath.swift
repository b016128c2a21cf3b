/// The admin API's paths, under the Unix socket only. Bodies and answers are JSON unless said otherwise.
public enum APIPath {
    public static let status = "/v1/status"
    public static let shutDown = "/v1/shutdown"
    /// POST reads nexus.json again; answers `{"changed": [names], "unchanged": count, "budgetChanged",
    /// "notInstalled": [names]}`.
    public static let reload = "/v1/reload"
    /// GET lists; POST installs a bundle (`PluginBundle.upload`).
    public static let plugins = "/v1/plugins"
    /// GET lists; POST `{"user", "mayActFor"?, "use"?: "tools" or "metrics", "seconds"?}` creates.
    public static let tokens = "/v1/tokens"
    public static let tools = "/v1/tools"
    /// GET lists; PUT and DELETE take `plugin`, `name` and `user` or `global=1` in the query; PUT's body is the value;
    /// `expires` is in Unix seconds, `existing=1` refuses a secret that is not there yet.
    public static let secrets = "/v1/secrets"
    /// GET: every credential that a plugin declares, and whether it is granted,
    /// `{"grants": [{"plugin", "name", "scope", "granted", "tools", "users"}]}`.
    public static let grants = "/v1/grants"
    /// GET with the same query: the kept versions of one, newest first.
    public static let secretVersions = "/v1/secrets/versions"
    /// POST with the same query and `version`: that version's value becomes the newest version.
    public static let secretRollback = "/v1/secrets/rollback"
    /// POST: a new master key. The body is empty, or the next passphrase or key if it is not kept in the home.
    public static let masterKey = "/v1/secrets/rotate-master"
    /// POST: the secrets as they stand count, though they are not what the audit log says.
    public static let acceptSecrets = "/v1/secrets/accept"
    /// POST as PUT of `secrets`, but what is stored already stays: `{"name", "changed"}`.
    public static let secretImport = "/v1/secrets/import"
    /// POST opens a form: `plugin`, `name` (several with commas), `user` or `global=1` in the query; answers
    /// `{"id", "url", "code", "seconds", …}`. Below `/ID`, GET waits for `seconds` until it has ended and answers
    /// `{"state", "open"}`; DELETE ends it.
    public static let secretForms = "/v1/secret-forms"
    public static func secretForm(_ id: String) -> String { "\(secretForms)/\(PercentEncoding.encode(id))" }
    /// GET with `count`: the last entries as JSON lines.
    public static let audit = "/v1/audit"
    /// GET lists, with `plugin` and `limit` in the query; `/ID` shows one.
    public static let incidents = "/v1/incidents"
    public static func incident(_ id: String) -> String { "\(incidents)/\(PercentEncoding.encode(id))" }
    public static let mcp = "/mcp"
    /// GET: every instance with what it costs and did, `{"instances": [{"plugin", "instance", …}], "host": {…}}`.
    public static let ledger = "/v1/ledger"
    /// GET: Prometheus' text format. Over TCP too, for tokens made for it.
    public static let metrics = "/metrics"

    /// POST `upgrade` takes a bundle, and `probationSeconds` in the query, if not as configured; `start` (with
    /// `once=1`: not again after it failed, nor when the host starts); `stop`.
    /// GET `log` with `after`: the lines with higher numbers, `{"lines": [{"seq", "text"}], "next"}`.
    public static func plugin(_ name: String, _ action: String? = nil) -> String {
        "\(plugins)/\(PercentEncoding.encode(name))\(action.map { "/" + $0 } ?? "")"
    }
    /// PUT `{"origin", "authority"?, "loopback"}` leads an endpoint elsewhere; DELETE leads it back.
    public static func endpoint(_ endpoint: String, of plugin: String) -> String {
        "\(self.plugin(plugin))/endpoints/\(PercentEncoding.encode(endpoint))"
    }
    /// PUT `{"granted"}` takes a declared credential from a plugin, or grants it again.
    public static func grant(_ credential: String, of plugin: String) -> String {
        "\(self.plugin(plugin))/credentials/\(PercentEncoding.encode(credential))"
    }
    /// PUT `{"weakeningSharedUsers"}`: whether one process may hold the credentials of several users.
    public static func isolation(of plugin: String) -> String { self.plugin(plugin, "isolation") }
    /// POST with the arguments as body; answers `{"result", "content"?: {"mediaType", "text" or "base64"}}`. With
    /// `stream=1` in the query, bytes go on as they come, up to 1 GiB, as JSON lines (`application/x-ndjson`): any
    /// number of `{"bytes"}` in base64, then one `{"result"}` or `{"error"}`. An answer without that last line was cut
    /// off. What fails before the first byte is answered as without `stream`.
    public static func call(_ tool: String) -> String { "\(tools)/\(PercentEncoding.encode(tool))/call" }
    public static func token(_ id: String) -> String { "\(tokens)/\(PercentEncoding.encode(id))" }
}

/// RFC 3986 percent-encoding of path segments and query values.
public enum PercentEncoding {
    public static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(Unicode.Scalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }

    /// The text; nil for a broken escape or bytes that are not UTF-8.
    public static func decode(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            guard digits.count == 2 else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(UInt8(digits[0] << 4 | digits[1]))
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
