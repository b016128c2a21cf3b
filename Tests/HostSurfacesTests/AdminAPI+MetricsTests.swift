import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPIMetricsTests {
    @Test func administratorsReadMetricsAndLedgerOverTheSocket() async throws {
        let host = try await AdminHost()
        let metrics = await host.ask("GET", "/metrics")
        #expect(metrics.status == 200 && metrics.text.contains("# TYPE nexus_call_stage_seconds histogram\n"))
        #expect(metrics.headers.contains { $0.value == "text/plain; version=0.0.4; charset=utf-8" })
        let ledger = await host.ask("GET", "/v1/ledger")
        #expect(ledger.json?["instances"] == [] && ledger.json?["host"]?["processID"] == 1)
        for path in ["/metrics", "/v1/ledger"] {
            #expect(await host.ask("GET", path, as: AdminHost.stranger).status == 403)
        }
    }

    private func scrape(_ host: AdminHost, _ bearer: String?, method: String = "GET") async -> WireResponse {
        await host.api.scrape(WireRequest(method: method, path: "/metrics", presented: Presented(bearer: bearer)))
    }

    @Test func overTCPATokenMadeForMetricsReadsThem() async throws {
        let host = try await AdminHost()
        let made = await host.ask("POST", "/v1/tokens", body: #"{"user":"monitor","use":"metrics"}"#)
        let token = try #require(made.json?["token"]?.stringValue)
        #expect(try host.lastEntry()?["use"] == "metrics")
        let answer = await scrape(host, token)
        #expect(answer.status == 200 && answer.text.contains("nexus_call_stage_seconds"))
        #expect(await scrape(host, token, method: "POST").status == 405)
        let tools = await host.ask("POST", "/v1/tokens", body: #"{"user":"alice"}"#)
        #expect(await scrape(host, tools.json?["token"]?.stringValue).status == 403)
        let nobody = await scrape(host, nil)
        #expect(nobody.status == 401 && nobody.headers.contains { $0.name == "www-authenticate" })
        let wrong = await host.ask("POST", "/v1/tokens", body: #"{"user":"alice","use":"all"}"#)
        #expect(wrong.message == "a token is for tools or for metrics, not \"all\"")
    }

    @Test func theLedgerSaysWhatItDoesNotKnow() {
        let instance = InstanceEntry(
            plugin: "p", version: "1.0", instance: "p#1", servedFor: "team/alice", state: "busy", processID: nil,
            callsOpen: 2, callsServed: 0, started: 1, lastUsed: 2, memoryLimitBytes: 3)
        let json = AdminAPI.json(LedgerEntry(instance, meter: nil))
        for name in ["memoryBytes", "memoryIs", "processID", "medianMicroseconds", "jail"] {
            #expect(json[name] == .null, "\(name)")
        }
        #expect(json["servedFor"] == "team/alice" && json["callsOpen"] == 2 && json["calls"] == 0)
    }
}
