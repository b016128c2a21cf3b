import JSONBytes
import PluginABI
import Testing

@testable import HostCore
@testable import HostSurfaces

/// Streams that carry bytes need a plugin: `StreamedToolTests`.
@Suite struct AdminAPIStreamsTests {
    @Test func whatFailsBeforeTheFirstByteHasItsStatus() async throws {
        let host = try await AdminHost()
        let request = WireRequest(
            method: "POST", path: "/v1/tools/none/call", query: ["stream": "1"],
            body: SecretBytes(copying: Array("{}".utf8)), presented: Presented(peerUserID: AdminHost.administrator))
        let answer = await host.api.respond(to: request)
        #expect(answer.status == 404 && answer.stream == nil)
        let error = try JSONValue(parsing: answer.body)["error"]
        #expect(error?["code"] == "unknown-tool")
    }
}
