import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct MCPMessageTests {
    private func reply(_ body: String) async throws -> Reply {
        var message = Message.handshake("ping")
        message.raw = Array(body.utf8)
        return try await FakeToolHost().reply(to: message)
    }

    @Test(arguments: [
        "", " ", "ping", "{", "{\"jsonrpc\":\"2.0\"", "\u{FEFF}{}", "{'a':1}", "{\"a\":NaN}", "{}{}", "\"\\ud800\"",
    ])
    func garbageIsAParseError(_ body: String) async throws {
        let reply = try await reply(body)
        #expect(reply.status == 400)
        #expect(reply.code == -32700)
        #expect(reply.json["id"] == .null)
    }

    @Test func bytesThatAreNotUTF8AreAParseError() async throws {
        var message = Message.handshake("ping")
        message.raw = [0x22, 0xFF, 0xFE, 0x22]
        #expect(try await FakeToolHost().reply(to: message).code == -32700)
    }

    @Test(arguments: ["[", "{\"a\":", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":"])
    func nestingBombIsRefused(_ open: String) async throws {
        #expect(try await reply(String(repeating: open, count: 20_000)).code == -32700)
    }

    @Test func millionValuesAreRefused() async throws {
        #expect(try await reply("[" + String(repeating: "0,", count: 1_000_000) + "0]").code == -32700)
    }

    @Test func duplicateMethodSmugglingIsRefused() async throws {
        let body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\":\"tools/call\",\"params\":{}}"
        #expect(try await reply(body).code == -32700)
    }

    @Test(arguments: ["[]", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", "7", "null", "\"ping\""])
    func batchesAndBareValuesAreRefused(_ body: String) async throws {
        let reply = try await reply(body)
        #expect(reply.status == 400)
        #expect(reply.code == -32600)
    }

    @Test(arguments: ["", "\"jsonrpc\":\"1.0\",", "\"jsonrpc\":2.0,", "\"jsonrpc\":null,"])
    func anotherJSONRPCIsRefused(_ version: String) async throws {
        #expect(try await reply("{\(version)\"id\":1,\"method\":\"ping\"}").code == -32600)
    }

    @Test(arguments: ["null", "1.5", "true", "{}", "[1]", "1e400", "99999999999999999999"])
    func anIDThatCannotBeOneIsNotEchoed(_ id: String) async throws {
        let reply = try await reply("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"ping\"}")
        #expect(reply.status == 400)
        #expect(reply.code == -32600)
        #expect(reply.json["id"] == .null)
    }

    @Test func anIDOfAMegabyteIsNotEchoed() async throws {
        let id = String(repeating: "x", count: 1 << 20)
        let reply = try await reply("{\"jsonrpc\":\"2.0\",\"id\":\"\(id)\",\"method\":\"ping\"}")
        #expect(reply.code == -32600)
        #expect(reply.body.count < 1_000)
    }

    @Test(arguments: ["0", "-1", "9007199254740993", "\"\"", "\"a\\u0000b\""])
    func anyOtherIDIsEchoedAsItIs(_ id: String) async throws {
        let reply = try await reply("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"ping\"}")
        #expect(reply.result == [:])
        #expect(reply.json["id"]?.text == id)
    }

    @Test(arguments: ["7", "null", "{}", "[]"])
    func aMethodThatIsNoStringIsRefused(_ method: String) async throws {
        #expect(try await reply("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\(method)}").code == -32600)
    }

    @Test(arguments: ["[]", "7", "\"x\"", "null"])
    func parametersThatAreNoObjectAreRefused(_ params: String) async throws {
        let body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":\(params)}"
        #expect(try await reply(body).code == -32602)
    }

    @Test(arguments: ["[]", "7", "\"x\"", "null"])
    func metaThatIsNoObjectIsRefused(_ meta: String) async throws {
        let body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"_meta\":\(meta)}}"
        #expect(try await reply(body).code == -32602)
    }

    @Test(arguments: ["\"result\":{}", "\"error\":{\"code\":1,\"message\":\"\"}"])
    func anAnswerToNothingIsAcceptedAndDropped(_ member: String) async throws {
        let reply = try await reply("{\"jsonrpc\":\"2.0\",\"id\":1,\(member)}")
        #expect(reply.status == 202)
        #expect(reply.body.isEmpty)
    }

    @Test func headerWithLineBreaksCannotSplitTheAnswer() async throws {
        var message = Message.stateless("tools/list")
        message.set("mcp-method", "tools/list\r\nSet-Cookie: a=b")
        let reply = try await FakeToolHost().reply(to: message)
        #expect(reply.status == 400)
        #expect(reply.headers.allSatisfy { !$0.1.contains("\n") })
        #expect(!reply.body.contains(0x0A))
    }

    @Test func noPrefixOfAGoodMessageBreaksTheEndpoint() async throws {
        let body = Message.call("zebra", stateless: true).request.body
        for length in 0..<body.count {
            var message = Message.call("zebra", stateless: true)
            message.raw = Array(body.prefix(length))
            #expect(try await FakeToolHost().reply(to: message).code == -32700)
        }
    }

    @Test func noChangedByteBreaksTheEndpoint() async throws {
        let body = Message.call("zebra", stateless: true).request.body
        var random = SystemRandomNumberGenerator()
        for position in body.indices {
            var message = Message.call("zebra", stateless: true)
            var changed = body
            changed[position] = UInt8.random(in: .min ... .max, using: &random)
            message.raw = changed
            let reply = try await FakeToolHost().reply(to: message)
            #expect([200, 202, 400, 404].contains(reply.status))
        }
    }
}
