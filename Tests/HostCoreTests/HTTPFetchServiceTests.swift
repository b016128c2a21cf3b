import JSONBytes
import PluginABI
import Testing

@testable import HostCore

/// What is decided before a connection is made. The connection itself is tested end to end against the simulator.
@Suite struct HTTPFetchServiceTests {
    let service = HTTPFetchService()

    private func perform(
        _ json: JSONValue, in context: CallContext
    ) async -> ABIError? {
        do {
            _ = try await service.perform(
                Message.HostCall(service: "http.fetch", parent: 1, content: Message.Payload(json)), in: context)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["https://127.0.0.1:1", "https://10.0.0.1:1", "https://169.254.169.254", "https://0.0.0.0:1"])
    func overrideWithoutTheWeakeningReachesNoInnerAddress(text: String) async throws {
        let origin = try #require(Origin(text))
        let override = EndpointOverride(origin: origin, authority: nil, weakeningLoopback: false)
        let context = try SamplePlugin.context(endpoints: ["exchange": override])
        let error = await perform(["endpoint": "exchange", "method": "GET", "path": "/api/v3/x"], in: context)
        #expect(error?.code == .permissionDenied)
    }

    @Test func authorityThatIsNoCertificateIsRefusedBeforeAnyConnection() async throws {
        let origin = try #require(Origin("https://127.0.0.1:1"))
        let override = EndpointOverride(origin: origin, authority: "no PEM", weakeningLoopback: true)
        let context = try SamplePlugin.context(endpoints: ["exchange": override])
        let error = await perform(["endpoint": "exchange", "method": "GET", "path": "/api/v3/x"], in: context)
        #expect(error?.message.hasPrefix("the endpoint's authority is not a PEM certificate: ") == true)
    }
}
