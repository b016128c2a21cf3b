import AuditLog
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct ServiceRouterTests {
    let folder: TestHome
    let audit: AuditLog
    let router: ServiceRouter
    let metrics = HostMetrics()

    init() throws {
        folder = try TestHome()
        audit = try AuditLog(directory: folder.home.audit)
        let values = KeyValueService(store: KeyValueStore(database: try folder.database()))
        let connect = NetConnectService(poller: try DescriptorPoller())
        router = ServiceRouter(
            fetch: HTTPFetchService(), connect: connect, values: values, audit: audit, metrics: metrics)
    }

    private func perform(_ service: String, _ json: JSONValue) async throws -> ABIError? {
        let call = Message.HostCall(service: service, parent: 1, content: Message.Payload(json))
        let context = try SamplePlugin.context()
        do throws(ABIError) {
            _ = try await router.perform(call, in: context)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyServiceIsCountedAndInventedNamesAreOne() async throws {
        _ = try await perform("http.fetch", ["endpoint": "evil", "method": "GET", "path": "/"])
        _ = try await perform("one.invented", [:])
        _ = try await perform("another.invented", [:])
        let text = String(decoding: metrics.text([]), as: UTF8.self)
        let name = #"nexus_service_calls_total{plugin="sample",service="#
        #expect(text.contains(name + #""http.fetch",outcome="permission-denied"} 1"#), "\(text)")
        #expect(text.contains(name + #""unknown",outcome="permission-denied"} 2"#), "\(text)")
        #expect(!text.contains("invented") && !text.contains("evil"))
    }

    private func lastEntry() throws -> JSONValue? { try audit.tail(1).first.map { try JSONValue(parsing: $0) } }

    @Test func everyDenialIsOnRecordWithItsCallAndReason() async throws {
        let error = try await perform("http.fetch", ["endpoint": "evil", "method": "GET", "path": "/"])
        #expect(error?.code == .permissionDenied)
        let entry = try #require(try lastEntry())
        let expected: [String: JSONValue] = [
            "kind": "denied", "request": "r1", "actor": "agent", "principal": "team/alice", "plugin": "sample",
            "instance": "sample#1", "tool": "sample_echo", "service": "http.fetch", "reason": JSONValue(error?.message),
            "what": "http.fetch GET evil /", "rule": "permissions.http.fetch",
            "permission": "permissions.http.fetch", "command": "nexus plugin install PATH",
        ]
        for (name, value) in expected { #expect(entry[name] == value, "\(name)") }
    }

    @Test func connectionThatIsNotDeclaredIsDeniedAndRecorded() async throws {
        let error = try await perform("net.connect", ["host": "evil.example.com", "port": 22])
        #expect(
            error
                == ABIError(
                    .permissionDenied, "net.connect refused: evil.example.com:22 is not allowed; allowed: nothing"))
        let entry = try #require(try lastEntry())
        #expect(entry["what"] == "net.connect evil.example.com:22" && entry["service"] == "net.connect")
        #expect(entry["rule"] == "permissions.net.connect" && entry["permission"] == "permissions.net.connect")
    }

    @Test func storeIsDeniedToPluginsThatDidNotAskForIt() async throws {
        for service in ["kv.get", "kv.put", "kv.delete", "kv.list"] {
            let error = try await perform(service, ["key": "k"])
            #expect(error?.code == .permissionDenied)
            #expect(error?.message == "\(service) refused: permissions.kv is not in sample's manifest")
            #expect(try lastEntry()?["service"] == .string(service))
        }
    }

    @Test func unknownServicesAreDeniedAndRecorded() async throws {
        for service in ["net.listen", "kv.drop", "events.read"] {
            let error = try await perform(service, [:])
            #expect(
                error?.message == "there is no host service \"\(service)\"; there is: "
                    + "http.fetch, net.connect, kv.delete, kv.get, kv.list, kv.put")
            #expect(try lastEntry()?["service"] == "unknown", "a name that a plugin chose may hold a secret")
        }
    }

    @Test func invalidArgumentsAreNoDenial() async throws {
        let error = try await perform("http.fetch", ["url": "https://evil"])
        #expect(error?.code == .invalidArguments)
        #expect(try audit.tail(1).isEmpty)
    }

    @Test func denialOfABloatedRequestIsAShortRecord() async throws {
        let bloat = "e" + String(repeating: "\u{301}", count: 500_000)
        _ = try await perform("http.fetch", ["endpoint": .string(bloat), "method": "GET", "path": "/"])
        #expect(try #require(try audit.tail(1).first).count < 4_000)
    }

    @Test func onlyWhatGoesOverTheNetworkMayBeRepeated() {
        let error = ABIError(.unavailable, "x")
        for (service, isRetryable) in [
            ("http.fetch", true), ("net.connect", true), ("kv.put", false), ("other", false),
        ] {
            let call = Message.HostCall(service: service, parent: 1, content: Message.Payload([:]))
            #expect(router.isRetryable(error, of: call) == isRetryable, "\(service)")
        }
    }
}
