import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct MCPListenersTests {
    private static let announcement = "notifications/tools/list_changed"
    private static let subscription = "io.modelcontextprotocol/subscriptionId"

    private func listen(_ change: (inout Message) -> Void = { _ in }) -> MCPRequest {
        var message = Message()
        message.http = "GET"
        message.raw = []
        message.headers = [("accept", "text/event-stream"), ("mcp-protocol-version", "2025-11-25")]
        change(&message)
        return message.request
    }

    private func subscribe(_ notifications: JSONValue, accept: String? = "text/event-stream") -> MCPRequest {
        var message = Message.stateless(
            "subscriptions/listen", JSONObject([(key: "notifications", value: notifications)]))
        message.id = "listen-1"
        message.set("accept", accept)
        return message.request
    }

    @Test func aGetStreamSaysThatToolsChangedAndEndsWithTheHost() async throws {
        let host = FakeToolHost()
        let endpoint = MCPEndpoint(host: host, version: "1")
        let response = await endpoint.respond(to: listen())
        #expect(response.status == 200)
        host.changes.announce()
        #expect(try await response.event() == ["jsonrpc": "2.0", "method": .string(Self.announcement)])
        endpoint.close()
        #expect(try await response.event() == nil)
        #expect(await endpoint.respond(to: listen()).status == 503)
    }

    @Test func aSubscriptionIsAcknowledgedThenToldAndAnsweredAtTheEnd() async throws {
        let host = FakeToolHost()
        let endpoint = MCPEndpoint(host: host, version: "1")
        let response = await endpoint.respond(
            to: subscribe(["toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["x"]]))
        host.changes.announce()
        let mark: JSONValue = [Self.subscription: "listen-1"]
        let acknowledged = try await response.event()
        #expect(acknowledged?["method"] == "notifications/subscriptions/acknowledged")
        #expect(acknowledged?["params"] == ["notifications": ["toolsListChanged": true], "_meta": mark])
        let told = try await response.event()
        #expect(told?["method"]?.stringValue == Self.announcement)
        #expect(told?["params"] == ["_meta": mark])
        endpoint.close()
        let end = try await response.event()
        #expect(end?["id"] == "listen-1")
        #expect(end?["result"]?["resultType"] == "complete")
        #expect(end?["result"]?["_meta"]?[Self.subscription] == "listen-1")
        #expect(try await response.event() == nil)
    }

    @Test func whatWasNotAskedForIsNotSaid() async throws {
        let host = FakeToolHost()
        let endpoint = MCPEndpoint(host: host, version: "1")
        let response = await endpoint.respond(to: subscribe(["toolsListChanged": false]))
        #expect(try await response.event()?["params"]?["notifications"] == [:])
        host.changes.announce()
        endpoint.close()
        #expect(try await response.event()?["id"] == "listen-1")
    }

    @Test func requestsForAStreamThatMakeNoSenseAreRefused() async {
        let endpoint = MCPEndpoint(host: FakeToolHost(), version: "1")
        let refused: [(MCPRequest, Int)] = [
            (listen { $0.bearer = nil }, 401), (listen { $0.set("accept", nil) }, 406),
            (listen { $0.set("accept", "application/json") }, 406),
            (listen { $0.set("mcp-protocol-version", "2026-07-28") }, 405),
            (listen { $0.set("mcp-protocol-version", "1999-01-01") }, 400),
            (subscribe([:], accept: "application/json"), 406), (subscribe("all"), 400), (subscribe(nil), 400),
        ]
        for (request, status) in refused {
            #expect(await endpoint.respond(to: request).status == status, "\(request.headers)")
        }
        #expect(endpoint.listeners.count == 0)
    }

    @Test func oneActorCannotTakeAllStreamsAndAClosedOneIsFree() async throws {
        let endpoint = MCPEndpoint(host: FakeToolHost(), version: "1")
        var open: [MCPResponse] = []
        for _ in 0..<MCPLimits.listenersOfOneActor { open.append(await endpoint.respond(to: listen())) }
        #expect(open.allSatisfy { $0.status == 200 })
        #expect(await endpoint.respond(to: listen()).status == 503)
        #expect(await endpoint.respond(to: listen { $0.bearer = "agent" }).status == 200)
        open[0].stream?.close()
        open[0].stream?.close()
        #expect(await endpoint.respond(to: listen()).status == 200)
        #expect(endpoint.listeners.count == MCPLimits.listenersOfOneActor + 1)
    }

    @Test func aQuietStreamSaysThatItIsStillThere() async {
        let listener = MCPListener(announcement: [1], keepAlive: .milliseconds(1))
        #expect(await listener.next() == MCPEvent.keepAlive)
        listener.stop()
        while await listener.next() != nil {}
    }
}
