internal import HostAPI
internal import JSONBytes

/// Follows a plugin's log, and says once why an instance failed.
struct PluginTail {
    let client: HostClient
    let plugin: String
    private var after = 0
    private var told: String?

    init(client: HostClient, plugin: String) {
        self.client = client
        self.plugin = plugin
    }

    /// Lines that were written before now are somebody else's.
    mutating func skip() async { _ = try? await lines() }

    /// What has been logged since the last time.
    ///
    /// - Throws: `CommandFailure` with the host's words.
    mutating func lines() async throws -> [String] {
        let answer = try await client.json(
            .get, APIPath.plugin(plugin, "log"), query: [("after", String(after))])
        var lines: [String] = []
        for line in answer.list("lines") {
            guard let number = line["seq"]?.intValue, number > after else { continue }
            after = number
            lines.append(line.shown("text"))
        }
        return lines
    }

    /// Why the last instance failed; nil while none has, and after it was told.
    mutating func failure() async throws -> String? {
        let plugin = try await client.json(.get, APIPath.plugin(plugin))
        let cause =
            plugin["state"]?.stringValue == "failed" ? plugin["cause"]?.stringValue?.printable : nil
        defer { told = cause }
        return cause == told ? nil : cause
    }
}
