import AuditLog
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

/// What is decided before a connection is made. The connection itself is tested end to end against the simulator.
@Suite struct HTTPFetchServiceTests {
    let folder: TestHome
    let audit: AuditLog
    let service: HTTPFetchService

    init() throws {
        folder = try TestHome()
        audit = try AuditLog(directory: folder.home.audit)
        service = HTTPFetchService(audit: audit)
    }

    private func perform(
        _ json: JSONValue, service name: String = "http.fetch", in context: CallContext
    ) async -> ABIError? {
        do {
            _ = try await service.perform(
                Message.HostCall(service: name, parent: 1, content: Message.Payload(json)), in: context)
            return nil
        } catch {
            return error
        }
    }

    private func lastEntry() throws -> JSONValue? { try audit.tail(1).first.map { try JSONValue(parsing: $0) } }

    @Test func everyDenialIsOnRecordWithItsCallAndReason() async throws {
        let error = await perform(["endpoint": "evil", "method": "GET", "path": "/"], in: try SamplePlugin.context())
        #expect(error?.code == .permissionDenied)
        let entry = try #require(try lastEntry())
        let expected: [String: JSONValue] = [
            "kind": "denied", "request": "r1", "actor": "agent", "principal": "team/alice", "plugin": "sample",
            "instance": "sample#1", "tool": "sample_echo", "service": "http.fetch", "reason": JSONValue(error?.message),
        ]
        for (name, value) in expected { #expect(entry[name] == value, "\(name)") }
    }

    @Test func unknownServicesAreDeniedAndRecorded() async throws {
        let error = await perform([:], service: "net.connect", in: try SamplePlugin.context())
        #expect(error?.message == "there is no host service \"net.connect\"; there is: http.fetch")
        #expect(try lastEntry()?["service"] == "unknown", "a name that a plugin chose may hold a secret")
    }

    @Test(arguments: ["https://127.0.0.1:1", "https://10.0.0.1:1", "https://169.254.169.254", "https://0.0.0.0:1"])
    func overrideWithoutTheWeakeningReachesNoInnerAddress(text: String) async throws {
        let origin = try #require(Origin(text))
        let override = EndpointOverride(origin: origin, authority: nil, weakeningLoopback: false)
        let context = try SamplePlugin.context(endpoints: ["exchange": override])
        let error = await perform(["endpoint": "exchange", "method": "GET", "path": "/api/v3/x"], in: context)
        #expect(error?.code == .permissionDenied)
        #expect(try lastEntry()?["kind"] == "denied")
    }

    @Test func authorityThatIsNoCertificateIsRefusedBeforeAnyConnection() async throws {
        let origin = try #require(Origin("https://127.0.0.1:1"))
        let override = EndpointOverride(origin: origin, authority: "no PEM", weakeningLoopback: true)
        let context = try SamplePlugin.context(endpoints: ["exchange": override])
        let error = await perform(["endpoint": "exchange", "method": "GET", "path": "/api/v3/x"], in: context)
        #expect(error?.message.hasPrefix("the endpoint's authority is not a PEM certificate: ") == true)
    }

    @Test func invalidArgumentsAreNoDenial() async throws {
        let error = await perform(["url": "https://evil"], in: try SamplePlugin.context())
        #expect(error?.code == .invalidArguments)
        #expect(try audit.tail(1).isEmpty)
    }

    @Test func denialOfABloatedRequestIsAShortRecord() async throws {
        let bloat = "e" + String(repeating: "\u{301}", count: 500_000)
        _ = await perform(["endpoint": .string(bloat), "method": "GET", "path": "/"], in: try SamplePlugin.context())
        #expect(try #require(try audit.tail(1).first).count < 4_000)
    }
}
