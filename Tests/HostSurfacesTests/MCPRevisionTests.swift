import JSONBytes
import Testing

@testable import HostSurfaces

@Suite struct MCPRevisionTests {
    @Test func discoverNamesEveryVersionThatIsServed() async throws {
        let reply = try await FakeToolHost().reply(to: .stateless("server/discover"))
        #expect(reply.status == 200)
        let versions: JSONValue = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]
        #expect(reply.result?["supportedVersions"] == versions)
        #expect(reply.result?["capabilities"] == ["tools": ["listChanged": true]])
        #expect(reply.result?["cacheScope"] == "private")
        #expect((reply.result?["ttlMs"]?.intValue ?? -1) >= 0)
    }

    @Test(arguments: ["server/discover", "tools/list", "tools/call"])
    func everyResultIsCompleteAndNamesTheServer(_ method: String) async throws {
        let message = method == "tools/call" ? Message.call("zebra", stateless: true) : .stateless(method)
        let result = try await FakeToolHost().reply(to: message).result
        #expect(result?["resultType"] == "complete")
        #expect(result?["_meta"]?["io.modelcontextprotocol/serverInfo"]?["name"] == "nexus")
    }

    @Test(arguments: [Message.version, Message.capabilities])
    func aRequestWithoutItsEnvelopeIsRefused(_ key: String) async throws {
        for method in ["server/discover", "tools/list"] {
            var message = Message.stateless(method)
            message.meta?[key] = nil
            let reply = try await FakeToolHost().reply(to: message)
            #expect(reply.status == 400)
            #expect(reply.code == -32602)
            #expect(reply.json["error"]?["message"]?.stringValue?.contains(key) == true)
        }
    }

    @Test func anEnvelopeOfTheWrongTypesIsRefused() async throws {
        for (key, value): (String, JSONValue) in [
            (Message.version, 7), (Message.version, nil), (Message.capabilities, nil), (Message.capabilities, "all"),
        ] {
            var message = Message.stateless("tools/list")
            message.meta?[key] = value
            #expect(try await FakeToolHost().reply(to: message).code == -32602)
        }
    }

    @Test(arguments: ["2027-01-01", "2025-11-25", "latest"])
    func aVersionThatIsNotServedIsAnsweredWithThoseThatAre(_ version: String) async throws {
        var message = Message.stateless("tools/list")
        message.meta?[Message.version] = .string(version)
        message.set("mcp-protocol-version", version)
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 400)
        #expect(reply.code == -32022)
        #expect(reply.json["error"]?["data"]?["requested"]?.stringValue == version)
        #expect(reply.json["error"]?["data"]?["supported"]?.arrayValue?.first == "2026-07-28")
    }

    @Test(arguments: ["initialize", "ping", "logging/setLevel", "resources/subscribe", "tools/", "constructor"])
    func aMethodThatIsRemovedOrUnknownIsNotFound(_ method: String) async throws {
        let reply = try await FakeToolHost().reply(to: .stateless(method))
        #expect(reply.status == 404)
        #expect(reply.code == -32601)
    }
}
