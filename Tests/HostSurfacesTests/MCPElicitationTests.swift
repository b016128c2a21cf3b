import JSONBytes
import PluginABI
import Testing

@testable import HostCore
@testable import HostSurfaces

/// A call whose credential is missing, in both revisions, with clients that can open URLs and clients that cannot.
@Suite struct MCPElicitationTests {
    private let forms: FormHost
    private let host: FakeToolHost
    private let endpoint: MCPEndpoint

    init() throws {
        let forms = try FormHost()
        self.forms = forms
        host = FakeToolHost { (_) throws(HostError) in
            let wanted = MissingCredentials(plugin: "bot", names: ["key", "secret"], scope: .user, owner: "alice")
            guard (try? forms.stored("key")) != "value-of-key" else { return "{\"price\":1.10}" }
            var error = HostError(.credentialMissing, "it needs key")
            error.missing = wanted
            error.call = CallIdentity(requestID: "r7", traceparent: "00-1-2-01")
            throw error
        }
        endpoint = MCPEndpoint(host: host, version: "1", requests: forms.requests)
    }

    private static let urls: JSONValue = ["elicitation": ["form": [:], "url": [:]]]

    private func stateless(
        _ capabilities: JSONValue = urls, state: JSONValue? = nil, action: String? = nil, tool: String = "crypto_price",
        bearer: String = "alice"
    ) -> Message {
        var message = Message.call(tool, stateless: true)
        message.meta?[Message.capabilities] = capabilities
        message.params?["requestState"] = state
        if let action { message.params?["inputResponses"] = ["credentials": ["action": .string(action)]] }
        message.bearer = bearer
        return message
    }

    private func reply(to message: Message) async throws -> Reply {
        let response = await endpoint.respond(to: message.request)
        let json = response.body.isEmpty ? JSONValue.null : try JSONValue(parsing: response.body)
        return Reply(status: response.status, headers: response.headers, body: response.body, json: json)
    }

    /// What the user does: opens the link of an answer and fills the form in.
    private func fillIn(_ url: String?, _ message: String?) throws {
        let text = try #require(message)
        let code = try #require(text.split(separator: " ").first { $0.utf8.count >= 7 && $0.dropFirst(3).first == "-" })
        let invitation = SecretInvitation(
            id: "", url: try #require(url), code: String(code.prefix(7)),
            wanted: MissingCredentials(plugin: "bot", names: [], scope: .user, owner: ""), seconds: 0)
        #expect(forms.send(invitation, page: forms.load(invitation)).status == 303)
    }

    @Test func aStatelessCallIsAnsweredWithALinkAndSucceedsOnceItWasUsed() async throws {
        let asked = try await reply(to: stateless())
        #expect(asked.status == 200 && asked.result?["resultType"] == "input_required", "\(asked.json.text)")
        let request = asked.result?["inputRequests"]?["credentials"]
        #expect(request?["method"] == "elicitation/create" && request?["params"]?["mode"] == "url")
        #expect(request?["params"]?["requestedSchema"] == nil, "never a form in the client")
        #expect(asked.result?["content"] == nil && asked.result?["isError"] == nil)
        let again = Task { try await reply(to: stateless(state: asked.result?["requestState"], action: "accept")) }
        try fillIn(request?["params"]?["url"]?.stringValue, request?["params"]?["message"]?.stringValue)
        let answer = try await again.value
        #expect(answer.result?["resultType"] == "complete" && answer.result?["isError"] == false, "\(answer.json.text)")
        #expect(!String(decoding: answer.body, as: UTF8.self).contains("value-of"))
    }

    @Test func aFormThatIsNotFilledInYetIsAskedForAgainWithTheSameLink() async throws {
        let asked = try await reply(to: stateless())
        let message = stateless(state: asked.result?["requestState"], action: "accept")
        let request = MCPMessage.Request(id: 1, method: "tools/call", params: try #require(message.params))
        var meta = request
        meta.params["_meta"] = message.meta.map { .object($0) }
        var elicitation = try #require(
            try endpoint.elicitation(
                meta, .stateless, for: message.request, as: Presented(bearer: "alice"), actor: "alice"))
        elicitation.patienceMilliseconds = 5
        let again = try await elicitation.answerBeforeCall()
        #expect(again?["resultType"] == "input_required")
        #expect(again?["inputRequests"] == asked.result?["inputRequests"])
        #expect(again?["requestState"] == asked.result?["requestState"])
        #expect(host.calls.count == 1, "the call was not made again")
    }

    @Test(arguments: ["decline", "cancel"])
    func whoDeclinesIsNotAskedAgain(action: String) async throws {
        let asked = try await reply(to: stateless())
        let answer = try await reply(to: stateless(state: asked.result?["requestState"], action: action))
        #expect(answer.result?["isError"] == true && answer.text?.contains(action) == true, "\(answer.json.text)")
        let url = asked.result?["inputRequests"]?["credentials"]?["params"]?["url"]?.stringValue ?? ""
        #expect(forms.get("/secret/" + (url.split(separator: "/").last ?? "")).status == 404, "the link is dead")
        #expect(try forms.entries().last { $0["kind"] == "secret-form" }?["event"] == "closed")
    }

    @Test func aStateIsGoodForItsCallerAndToolOnly() async throws {
        let state = try #require(try await reply(to: stateless()).result?["requestState"])
        let wrong = [
            stateless(state: state, tool: "list"), stateless(state: state, bearer: "agent"), stateless(state: "AAAA"),
            stateless(state: .string((state.stringValue ?? "") + "A")), stateless(state: 7),
            stateless(state: .string(String(repeating: "A", count: 9_000))),
        ]
        for message in wrong {
            let answer = try await reply(to: message)
            #expect(answer.status == 400 && answer.code == -32602, "\(answer.json.text)")
        }
        #expect(host.calls.count == 1)
    }

    @Test(
        arguments: [[:], ["elicitation": [:]], ["elicitation": ["form": [:]]], ["elicitation": ["url": true]]]
            as [JSONValue])
    func aClientThatCannotOpenURLsGetsTheLinkInWords(capabilities: JSONValue) async throws {
        let answer = try await reply(to: stateless(capabilities))
        #expect(answer.result?["isError"] == true && answer.result?["resultType"] == "complete")
        let text = try #require(answer.text)
        #expect(
            text.hasPrefix("credential-missing: it needs key; or alice types it into http://127.0.0.1:8765/secret/"))
        try fillIn(text.split(separator: " ").first { $0.hasPrefix("http") }.map(String.init), text)
        #expect(try await reply(to: stateless(capabilities)).result?["isError"] == false)
    }

    @Test func agentsThatAskOnAndOnGetWordsAtLast() async throws {
        for _ in 0..<HostLimits.secretFormsOfOneOwner { _ = try await reply(to: stateless()) }
        let answer = try await reply(to: stateless())
        #expect(
            answer.result?["isError"] == true && answer.text?.contains("open already") == true, "\(answer.json.text)")
    }

    private func initialize(_ capabilities: JSONValue, version: String = "2025-11-25") async throws -> String? {
        var message = Message(method: "initialize")
        message.params = JSONObject([
            (key: "protocolVersion", value: .string(version)), (key: "capabilities", value: capabilities),
        ])
        return try await reply(to: message).header("mcp-session-id")
    }

    private func handshake(session: String?) -> Message {
        var message = Message.call("crypto_price")
        message.set("mcp-session-id", session)
        return message
    }

    @Test func aHandshakeCallFailsWithTheErrorThatNamesALinkAndItsClientHearsOfTheEnd() async throws {
        let session = try #require(try await initialize(Self.urls))
        let foreign = try #require(try await initialize(Self.urls))
        var streams: [MCPResponse] = []
        for name in [session, foreign] {
            var listen = Message()
            (listen.http, listen.raw) = ("GET", [])
            listen.headers = [
                ("accept", "text/event-stream"), ("mcp-protocol-version", "2025-11-25"), ("mcp-session-id", name),
            ]
            streams.append(await endpoint.respond(to: listen.request))
        }
        let asked = try await reply(to: handshake(session: session))
        #expect(asked.status == 200 && asked.code == -32042, "\(asked.json.text)")
        let list = asked.json["error"]?["data"]?["elicitations"]?.arrayValue ?? []
        #expect(list.count == 1 && list[0]["mode"] == "url")
        let id = try #require(list[0]["elicitationId"]?.stringValue)
        try fillIn(list[0]["url"]?.stringValue, list[0]["message"]?.stringValue)
        let heard = try await streams[0].event()
        #expect(
            heard?["method"] == "notifications/elicitation/complete"
                && heard?["params"] == ["elicitationId": .string(id)])
        endpoint.close()
        #expect(try await streams[1].event() == nil, "another client hears nothing")
        #expect(try await reply(to: handshake(session: session)).result?["isError"] == false)
    }

    @Test func withoutURLModeAHandshakeClientGetsWords() async throws {
        for capabilities: JSONValue in [[:], ["elicitation": [:]], ["elicitation": ["form": [:]]]] {
            let session = try #require(try await initialize(capabilities))
            let answer = try await reply(to: handshake(session: session))
            #expect(answer.result?["isError"] == true && answer.text?.contains("/secret/") == true)
        }
        let old = try #require(try await initialize(Self.urls, version: "2025-06-18"))
        #expect(try await reply(to: handshake(session: old)).code == nil, "URL mode came with 2025-11-25")
        #expect(try await reply(to: handshake(session: nil)).code == nil)
    }

    @Test func whereAFormDoesNotHelpTheAnswerIsAsBefore() async throws {
        let other = FakeToolHost { (_) throws(HostError) in throw HostError(.credentialMissing, "an admin sets it") }
        let endpoint = MCPEndpoint(host: other, version: "1", requests: forms.requests)
        let response = await endpoint.respond(to: stateless().request)
        let result = try JSONValue(parsing: response.body)["result"]
        #expect(result?["isError"] == true && result?["resultType"] == "complete")
        #expect(try forms.entries().allSatisfy { $0["kind"] != "secret-form" })
    }
}
