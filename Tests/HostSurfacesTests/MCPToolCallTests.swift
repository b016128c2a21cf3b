import JSONBytes
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct MCPToolCallTests {
    @Test func aResultIsTextAndStructureAndNamesItsRecord() async throws {
        for isStateless in [true, false] {
            let reply = try await FakeToolHost().reply(to: .call("crypto_price", stateless: isStateless))
            #expect(reply.status == 200)
            #expect(reply.text == "{\"price\":1.10}")
            #expect(reply.result?["structuredContent"]?.text == "{\"price\":1.10}")
            #expect(reply.result?["isError"] == false)
            #expect(reply.result?["_meta"]?["io.nexus/request"] == "r1")
        }
    }

    @Test func argumentsAreCarriedAsTheirBytes() async throws {
        let arguments = "{ \"amount\" : 0.10000000000000000000001,\n \"big\":1e400, \"s\":\"\\u00e9\" }"
        var message = Message.handshake("tools/call")
        let start = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"zebra\","
        message.raw = Array("\(start)\"arguments\":\(arguments)}}".utf8)
        let host = FakeToolHost()
        _ = try await host.reply(to: message)
        #expect(host.calls.map { String(decoding: $0.arguments, as: UTF8.self) } == [arguments])
        #expect(host.calls.first?.surface == "mcp-http")
    }

    @Test func traceOfTheCallerGoesAlong() async throws {
        var message = Message.call("zebra")
        var meta = message.params?["_meta"]?.objectValue ?? JSONObject()
        meta["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        meta["tracestate"] = 7
        message.params?["_meta"] = .object(meta)
        let host = FakeToolHost()
        _ = try await host.reply(to: message)
        let call = try #require(host.calls.first)
        #expect(call.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect(call.tracestate == nil)
    }

    private static let parents = ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-1-2-01"]

    @Test func traceOfTheHTTPHeadersIsTakenWhereTheMessageHasNone() async throws {
        let ways: [(meta: String?, headers: [(String, String)], surface: String, seen: [String?])] = [
            (nil, [("traceparent", Self.parents[0]), ("tracestate", "a=1")], "mcp-http", [Self.parents[0], "a=1"]),
            (nil, [("traceparent", "x"), ("tracestate", "a=1"), ("tracestate", "b=2")], "mcp-http", ["x", "a=1,b=2"]),
            (
                Self.parents[1], [("traceparent", Self.parents[0]), ("tracestate", "a=1")], "mcp-http",
                [Self.parents[1], nil]
            ),
            (nil, [("traceparent", Self.parents[0]), ("traceparent", Self.parents[0])], "mcp-http", [nil, nil]),
            (nil, [("traceparent", Self.parents[0])], "mcp-stdio", [nil, nil]),
        ]
        for way in ways {
            var message = Message.call("zebra")
            message.surface = way.surface
            message.headers += way.headers.map { (name: $0.0, value: $0.1) }
            if let meta = way.meta { message.params?["_meta"] = ["traceparent": .string(meta)] }
            let host = FakeToolHost()
            _ = try await host.reply(to: message)
            #expect(host.calls.map { [$0.traceparent, $0.tracestate] } == [way.seen], "\(way)")
        }
    }

    @Test func everyFailureNamesItsCall() async throws {
        let call = CallIdentity(requestID: "r9", traceparent: "00-1-2-01")
        for (code, isResult) in [(HostError.Code.pluginFailed, true), (.auditFailed, false)] {
            let host = FakeToolHost { _ throws(HostError) in
                var error = HostError(code, "m")
                error.call = call
                throw error
            }
            let reply = try await host.reply(to: .call("zebra"))
            let meta = reply.result?["_meta"]
            #expect(meta?["io.nexus/request"] == (isResult ? "r9" : nil))
            #expect(meta?["traceparent"] == (isResult ? "00-1-2-01" : nil))
            #expect(reply.json["error"]?["data"]?["request"] == (isResult ? nil : "r9"))
        }
    }

    @Test func missingArgumentsAreAnEmptyObject() async throws {
        for arguments: JSONValue? in [nil, .null] {
            var message = Message.call("zebra")
            message.params?["arguments"] = arguments
            let host = FakeToolHost()
            _ = try await host.reply(to: message)
            #expect(host.calls.map(\.arguments) == [Array("{}".utf8)])
        }
    }

    @Test func argumentsOfAnotherTypeGoToTheCoreThatRefusesThem() async throws {
        var message = Message.call("zebra")
        message.params?["arguments"] = "rm -rf"
        let host = FakeToolHost { _ throws(HostError) in throw HostError(.invalidArguments, "must be an object") }
        let reply = try await host.reply(to: message)
        #expect(host.calls.map { String(decoding: $0.arguments, as: UTF8.self) } == ["\"rm -rf\""])
        #expect(reply.result?["isError"] == true)
    }

    @Test(arguments: ["[1,2]", "\"text\"", "7", "null", "true"])
    func aResultThatIsNoObjectIsStructuredOnlyWhereTheRevisionKnowsIt(_ json: String) async throws {
        let host = FakeToolHost { _ in json }
        let older = try await host.reply(to: .call("zebra"))
        #expect(older.result?["structuredContent"] == nil)
        #expect(older.text == json)
        let newer = try await host.reply(to: .call("zebra", stateless: true))
        #expect(newer.result?["structuredContent"]?.text == json)
    }

    @Test(arguments: [
        "invalid-arguments", "credential-missing", "plugin-failed", "deadline-exceeded", "forbidden", "jail-failed",
        "permission-denied", "cancelled", "exchange-says-no",
    ])
    func aFailureThatAnAgentCanActOnIsAResult(_ code: String) async throws {
        let error = HostError(HostError.Code(code), "do this", retryable: true)
        let host = FakeToolHost { _ throws(HostError) in throw error }
        for isStateless in [true, false] {
            let reply = try await host.reply(to: .call("zebra", stateless: isStateless))
            #expect(reply.status == 200)
            #expect(reply.result?["isError"] == true)
            #expect(reply.text?.hasPrefix("\(code): do this") == true)
            let details: JSONValue = ["code": .string(code), "message": "do this", "retryable": true]
            #expect(reply.result?["structuredContent"]?["error"] == details)
            #expect(reply.result?["_meta"]?["io.nexus/error"] == details)
        }
    }

    @Test func anErrorIsNotHeldToTheOutputSchemaOfItsTool() async throws {
        let host = FakeToolHost { _ throws(HostError) in throw HostError(.pluginFailed, "gone") }
        let reply = try await host.reply(to: .call("crypto_price"))
        #expect(reply.result?["structuredContent"] == nil)
        #expect(reply.result?["_meta"]?["io.nexus/error"]?["code"] == "plugin-failed")
        // The handshake does not show this tool's schema, so its clients do not check against it.
        #expect(try await host.reply(to: .call("list")).result?["structuredContent"] != nil)
        #expect(try await host.reply(to: .call("list", stateless: true)).result?["structuredContent"] == nil)
    }

    @Test func anUnknownToolIsAnErrorOfTheProtocol() async throws {
        let older = try await FakeToolHost().reply(to: .call("nope"))
        #expect(older.status == 200 && older.code == -32602)
        let newer = try await FakeToolHost().reply(to: .call("nope", stateless: true))
        #expect(newer.status == 400 && newer.code == -32602)
    }

    @Test func aToolWithoutANameIsRefused() async throws {
        for name: JSONValue? in [nil, 7, .null, ["zebra"]] {
            var message = Message.call("zebra")
            message.params?["name"] = name
            #expect(try await FakeToolHost().reply(to: message).code == -32602)
        }
    }

    @Test(arguments: ["audit-failed", "storage-failed", "secret-unreadable"])
    func troubleOfTheHostIsAnInternalErrorThatNothingRetriesByItself(_ code: String) async throws {
        let error = HostError(HostError.Code(code), "disk full", retryable: true)
        let host = FakeToolHost { _ throws(HostError) in throw error }
        let reply = try await host.reply(to: .call("zebra"))
        #expect(reply.status == 200)
        #expect(reply.code == -32603)
        #expect(reply.json["error"]?["data"]?["retryable"] == true)
    }

    @Test(arguments: ["", "{", "[redacted]", "{\"a\":1,\"a\":2}"])
    func anAnswerThatIsNotJSONIsAFailureOfThePlugin(_ json: String) async throws {
        let reply = try await FakeToolHost { _ in json }.reply(to: .call("zebra"))
        #expect(reply.result?["isError"] == true)
        #expect(reply.text?.hasPrefix("plugin-failed") == true)
    }

    @Test func controlCharactersInAResultReachTheAgentEscaped() async throws {
        let reply = try await FakeToolHost { _ in "{\"a\":\"\\u001b[2J\u{202E}\"}" }.reply(to: .call("zebra"))
        #expect(reply.text == "{\"a\":\"\\u001b[2J\\u202e\"}")
        #expect(!reply.body.contains(0x1B))
    }
}
