import JSONBytes
import Testing

@testable import HostSurfaces

@Suite struct MCPHeaderTests {
    @Test(arguments: ["mcp-protocol-version", "mcp-method", "mcp-name"])
    func aRoutingHeaderThatIsMissingContradictsOrRepeatsIsRefused(_ header: String) async throws {
        let good = Message.call("zebra", stateless: true)
        #expect(try await FakeToolHost().reply(to: good).status == 200)
        for value: String? in [nil, "", "list", "2025-11-25", "=?base64?!!!?=", "=?base64??="] {
            var message = good
            message.set(header, value)
            let host = FakeToolHost()
            let reply = try await host.reply(to: message)
            #expect(reply.status == 400)
            #expect(reply.code == -32020)
            #expect(host.calls.isEmpty)
        }
        var message = good
        message.headers += message.headers.filter { $0.name == header }
        #expect(try await FakeToolHost().reply(to: message).code == -32020)
    }

    @Test func requestWithoutTheVersionHeaderCannotHideFromTheChecks() async throws {
        var message = Message.call("zebra", stateless: true)
        for header in ["mcp-protocol-version", "mcp-method", "mcp-name"] { message.set(header, nil) }
        #expect(try await FakeToolHost().reply(to: message).code == -32020)
    }

    @Test func aNameInBase64IsDecodedBeforeItIsCompared() async throws {
        var message = Message.call("zebra", stateless: true)
        message.set("mcp-name", "=?base64?emVicmE=?=")
        #expect(try await FakeToolHost().reply(to: message).status == 200)
    }

    @Test(arguments: ["=?base64?emVicmE?=", "=?base64?emVicmF=?=", "=?base64?em\nVicmE=?=", "=?BASE64?emVicmE=?="])
    func aSecondWayToWriteANameIsNoWay(_ name: String) async throws {
        var message = Message.call("zebra", stateless: true)
        message.set("mcp-name", name)
        #expect(try await FakeToolHost().reply(to: message).code == -32020)
    }

    @Test func lookAlikeNamesAreNotEqual() {
        #expect("\u{E9}" == "e\u{301}")
        #expect(throws: MCPFault.self) {
            var message = Message.stateless("tools/call", JSONObject([(key: "name", value: "\u{E9}")]))
            message.set("mcp-name", "=?base64?ZcyB?=")
            let request = message.request
            guard case .request(let parsed) = try MCPMessage(parsing: request.body) else { return }
            try MCPHeader.check(request, against: parsed, version: "2026-07-28")
        }
    }

    @Test func overStdioThereAreNoHeadersToCheck() async throws {
        var message = Message.call("zebra", stateless: true)
        message.surface = "mcp-stdio"
        message.headers = []
        #expect(try await FakeToolHost().reply(to: message).status == 200)
    }
}
