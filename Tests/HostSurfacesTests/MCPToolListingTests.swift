import JSONBytes
import Testing

@testable import HostSurfaces

@Suite struct MCPToolListingTests {
    @Test func theListSaysHowLongAndForWhomItMayBeKept() async throws {
        let result = try await FakeToolHost().reply(to: .stateless("tools/list")).result
        #expect(result?["cacheScope"] == "private")
        #expect((result?["ttlMs"]?.intValue ?? -1) >= 0)
        #expect(result?["tools"]?.arrayValue?[1]["outputSchema"] == ["type": "array"])
    }

    @Test func toolsAreListedInTheOrderOfTheirNames() async throws {
        let tools = try await FakeToolHost().reply(to: .handshake("tools/list")).result?["tools"]?.arrayValue ?? []
        #expect(tools.map { $0["name"]?.stringValue } == ["crypto_price", "list", "zebra"])
        #expect(tools[0]["title"] == "Price")
        #expect(tools[0]["inputSchema"] == ["type": "object"])
        #expect(tools[2]["title"] == nil)
    }

    @Test func anOutputSchemaOfAnotherTypeIsNotShown() async throws {
        let tools = try await FakeToolHost().reply(to: .handshake("tools/list")).result?["tools"]?.arrayValue ?? []
        #expect(tools[0]["outputSchema"] == ["type": "object"])
        #expect(tools[1]["outputSchema"] == nil)
    }

    @Test func annotationsOfTheWrongTypeCannotSpoilTheListForOthers() async throws {
        let tools = try await FakeToolHost().reply(to: .handshake("tools/list")).result?["tools"]?.arrayValue ?? []
        #expect(tools[0]["annotations"] == ["readOnlyHint": true])
    }

    @Test func aPageThatWasNeverPromisedIsRefused() async throws {
        let message = Message.handshake("tools/list", JSONObject([(key: "cursor", value: "2")]))
        #expect(try await FakeToolHost().reply(to: message).code == -32602)
    }
}
