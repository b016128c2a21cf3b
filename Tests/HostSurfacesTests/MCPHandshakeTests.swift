import JSONBytes
import Testing

@testable import HostSurfaces

@Suite struct MCPHandshakeTests {
    @Test(arguments: [
        ("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("", "2025-11-25"),
    ])
    func initializeAgreesOnAVersionThatIsServed(_ asked: String, _ agreed: String) async throws {
        var message = Message(
            method: "initialize", params: JSONObject([(key: "protocolVersion", value: .string(asked))]))
        message.id = "one"
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 200)
        #expect(reply.json["id"] == "one")
        #expect(reply.result?["protocolVersion"]?.stringValue == agreed)
        #expect(reply.result?["capabilities"]?["tools"] == ["listChanged": true])
        #expect(reply.result?["serverInfo"]?["version"] == "1.2.3")
        #expect(reply.result?["resultType"] == nil)
        #expect(reply.header("mcp-session-id") != nil)
    }

    @Test func initializeWithoutAVersionIsRefused() async throws {
        #expect(try await FakeToolHost().reply(to: Message(method: "initialize")).code == -32602)
    }

    @Test func initializeOfAClientThatStampsEveryRequestIsStillAHandshake() async throws {
        var message = Message.stateless("initialize", JSONObject([(key: "protocolVersion", value: "2025-11-25")]))
        message.surface = "mcp-stdio"
        #expect(try await FakeToolHost().reply(to: message).result?["protocolVersion"] == "2025-11-25")
    }

    @Test func pingIsAnsweredWithAnEmptyResult() async throws {
        #expect(try await FakeToolHost().reply(to: .handshake("ping")).result == [:])
    }

    @Test func anUnknownMethodIsAnErrorOfTheProtocolAlone() async throws {
        let reply = try await FakeToolHost().reply(to: .handshake("prompts/list"))
        #expect(reply.status == 200)
        #expect(reply.code == -32601)
    }

    @Test(arguments: ["2024-11-05", "1.0", "", "2025-11-25, 2025-11-25", "2025-11-25 "])
    func aVersionHeaderThatIsNotServedIsRefused(_ version: String) async throws {
        var message = Message.handshake("tools/list")
        message.set("mcp-protocol-version", version)
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 400)
        #expect(reply.code == -32022)
        #expect(reply.json["error"]?["data"]?["supported"]?.arrayValue?.count == 4)
    }

    @Test func aVersionHeaderSentTwiceIsRefused() async throws {
        var message = Message.handshake("tools/list")
        message.headers.append(("mcp-protocol-version", "2025-03-26"))
        #expect(try await FakeToolHost().reply(to: message).status == 400)
    }

    @Test func aClientWithoutTheVersionHeaderIsServed() async throws {
        var message = Message.handshake("tools/list")
        message.set("mcp-protocol-version", nil)
        #expect(try await FakeToolHost().reply(to: message).status == 200)
    }

    @Test(arguments: ["notifications/initialized", "notifications/cancelled", "tools/call"])
    func aNotificationIsAcceptedAndDoesNothing(_ method: String) async throws {
        var message = Message.handshake(method, JSONObject([(key: "name", value: "zebra")]))
        message.id = nil
        let host = FakeToolHost()
        let reply = try await host.reply(to: message)
        #expect(reply.status == 202)
        #expect(reply.body.isEmpty)
        #expect(host.calls.isEmpty)
    }
}
