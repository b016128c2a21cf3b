import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct MCPEndpointTests {
    static let messages = [
        Message.handshake("initialize"), .handshake("tools/list"), .handshake("ping"), .call("zebra"),
        .stateless("server/discover"), .stateless("tools/list"), .call("zebra", stateless: true),
    ]

    @Test(arguments: 0..<messages.count)
    func everyMessageNeedsAToken(_ index: Int) async throws {
        var message = Self.messages[index]
        message.bearer = nil
        let host = FakeToolHost()
        let reply = try await host.reply(to: message)
        #expect(reply.status == 401)
        #expect(reply.code == 401)
        #expect(reply.header("www-authenticate") == "Bearer realm=\"nexus\"")
        #expect(reply.json["id"] == .null)
        #expect(host.calls.isEmpty)
    }

    @Test func aTokenThatIsNotValidIsToldSo() async throws {
        var message = Message.handshake("ping")
        message.bearer = "stolen"
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 401)
        #expect(reply.header("www-authenticate")?.contains("invalid_token") == true)
    }

    @Test(arguments: ["GET", "DELETE", "POST"])
    func aStrangerLearnsNothingFromAnyMethodOrBody(_ method: String) async throws {
        var message = Message.handshake("ping")
        message.bearer = nil
        message.http = method
        message.raw = Array("not json".utf8)
        #expect(try await FakeToolHost().reply(to: message).status == 401)
    }

    @Test func aStrangerDoesNotLearnWhyTheHostFails() async throws {
        var message = Message.handshake("ping")
        message.bearer = "broken"
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 503)
        #expect(!String(decoding: reply.body, as: UTF8.self).contains("sqlite"))
    }

    @Test(arguments: [true, false])
    func thePrincipalOfMetaReachesTheCore(_ isStateless: Bool) async throws {
        var message = Message.call("zebra", stateless: isStateless)
        message.meta = message.meta ?? JSONObject()
        message.meta?["io.nexus/principal"] = "carol"
        message.bearer = "agent"
        let host = FakeToolHost()
        #expect(try await host.reply(to: message).status == 200)
        #expect(host.calls.map(\.presented.onBehalfOf) == ["carol"])
    }

    /// The attempt to call reaches the core, because the core records it.
    @Test(arguments: [("tools/call", 1), ("tools/list", 0)])
    func aTokenWithoutTheRightCannotActForOthers(_ method: String, _ calls: Int) async throws {
        var message = Message.handshake(method, JSONObject([(key: "name", value: "zebra")]))
        message.meta = JSONObject([(key: "io.nexus/principal", value: "carol")])
        let host = FakeToolHost()
        let reply = try await host.reply(to: message)
        #expect(reply.status == 403)
        #expect(reply.code == 403)
        #expect(reply.json["id"] == 1)
        #expect(host.calls.count == calls)
    }

    @Test func aPrincipalThatIsNoStringIsRefusedAndNotPassedOver() async throws {
        for value: JSONValue in [7, nil, ["carol"], ["name": "carol"]] {
            var message = Message.call("zebra")
            message.bearer = "agent"
            message.meta = JSONObject([(key: "io.nexus/principal", value: value)])
            let host = FakeToolHost()
            #expect(try await host.reply(to: message).code == -32602)
            #expect(host.calls.isEmpty)
        }
    }

    @Test func principalSmuggledInHeadersArgumentsOrTheTransportIsIgnored() async throws {
        var message = Message.call("zebra")
        message.bearer = "agent"
        message.headers += [("x-nexus-principal", "root"), ("io.nexus/principal", "root")]
        message.params?["io.nexus/principal"] = "root"
        message.params?["arguments"] = ["_meta": ["io.nexus/principal": "root"]]
        var request = message.request
        request.presented.onBehalfOf = "root"
        let host = FakeToolHost()
        _ = await MCPEndpoint(host: host, version: "1").respond(to: request)
        #expect(host.calls.count == 1)
        #expect(host.calls.first?.presented.onBehalfOf == nil)
        #expect(host.authentications.allSatisfy { $0.onBehalfOf == nil })
    }

    @Test func aPluginCannotPretendThatTheCallerIsUnknown() async throws {
        for code: HostError.Code in [.unauthenticated, .forbidden, .unknownTool] {
            let host = FakeToolHost { _ throws(HostError) in throw HostError(code, "says the plugin") }
            let reply = try await host.reply(to: .call("zebra"))
            #expect(reply.status == 200)
            #expect(reply.result?["isError"] == true)
        }
    }

    @Test func bodyLongerThanTheLimitIsRefusedUnread() async throws {
        var message = Message.handshake("ping")
        message.raw = [UInt8](repeating: 0x20, count: (4 << 20) + 1)
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 413)
        #expect(reply.code == -32600)
    }

    @Test(arguments: ["DELETE", "PUT", "OPTIONS", "post", ""])
    func onlyPOSTAndGETAreServed(_ method: String) async throws {
        var message = Message.handshake("ping")
        message.http = method
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 405)
        #expect(reply.header("allow") == "GET, POST")
    }

    @Test(arguments: [nil, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/js"])
    func bodyThatAWebPageCouldSendUnaskedIsRefused(_ type: String?) async throws {
        var message = Message.handshake("ping")
        message.set("content-type", type)
        #expect(try await FakeToolHost().reply(to: message).status == 415)
    }

    @Test(arguments: ["application/json", "application/json; charset=utf-8", "Application/JSON"])
    func jsonIsRecognizedHoweverItIsSpelled(_ type: String) async throws {
        var message = Message.handshake("ping")
        message.set("content-type", type)
        #expect(try await FakeToolHost().reply(to: message).status == 200)
    }
}
