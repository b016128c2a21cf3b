internal import HostCore
internal import JSONBytes

extension AdminAPI {
    func showMetrics(_ call: Call) async throws(HostError) -> WireResponse { await metricsText() }

    /// The metrics for whoever comes over TCP, with a token made for it.
    func scrape(_ request: WireRequest) async -> WireResponse {
        do throws(HostError) {
            try authenticator.checkMetricsReader(request.presented)
            guard request.method == "GET" else {
                var refusal = Self.failure(405, "invalid-request", "the metrics can be read only; use GET")
                refusal.headers.append((name: "allow", value: "GET"))
                return refusal
            }
            return await metricsText()
        } catch {
            var refusal = Self.failure(error)
            if error.code == .unauthenticated {
                refusal.headers.append((name: "www-authenticate", value: "Bearer realm=\"nexus\""))
            }
            return refusal
        }
    }

    private func metricsText() async -> WireResponse {
        WireResponse(
            status: 200, headers: [("content-type", HostMetrics.contentType)],
            body: metrics.text(await metrics.ledger(of: supervisor)))
    }

    func showLedger(_ call: Call) async throws(HostError) -> WireResponse {
        let entries = await metrics.ledger(of: supervisor)
        return Self.ok([
            "instances": .array(entries.map(Self.json)),
            "host": ["processID": JSONValue(Int(facts.processID)), "launcherID": JSONValue(Int(facts.launcherID()))],
        ])
    }

    /// Times in milliseconds since 1970, latencies in microseconds; null for what is not known.
    static func json(_ entry: LedgerEntry) -> JSONValue {
        let instance = entry.instance
        let number = { (value: Int?) -> JSONValue in value.map { JSONValue($0) } ?? .null }
        return [
            "plugin": .string(instance.plugin), "version": .string(instance.version),
            "instance": .string(instance.instance), "servedFor": .string(instance.servedFor),
            "state": .string(instance.state), "jail": JSONValue(entry.jail),
            "processID": number(instance.processID.map { Int($0) }),
            "started": JSONValue(Int(clamping: instance.started)),
            "lastUsed": JSONValue(Int(clamping: instance.lastUsed)),
            "memoryBytes": number(entry.memoryBytes.map { Int(clamping: $0) }),
            "memoryIs": JSONValue(entry.memoryIs),
            "memoryLimitBytes": JSONValue(Int(clamping: instance.memoryLimitBytes)),
            "callsOpen": JSONValue(instance.callsOpen), "calls": JSONValue(entry.calls),
            "failures": JSONValue(entry.failures), "denials": JSONValue(entry.denials),
            "medianMicroseconds": number(entry.median), "percentile99Microseconds": number(entry.percentile99),
            "bytesIn": JSONValue(entry.bytesIn), "bytesOut": JSONValue(entry.bytesOut),
            "lateFrames": JSONValue(entry.lateFrames),
        ]
    }
}
