import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

@Suite struct ToolCallTests {
    private func serve(_ calls: [Message.Call], handler: @escaping Plugin.ToolHandler) throws -> FakeHost {
        let plugin = Plugin(name: "sample")
        plugin.tool("act", handler: handler)
        let host = FakeHost.wholeLife(
            calls: calls.enumerated().map { (stream: UInt64($0.offset * 2 + 1), call: $0.element) })
        try Session(plugin: plugin, link: host).run()
        return host
    }

    @Test func credentialsOfOneCallAreNotVisibleToTheNext() throws {
        let host = try serve([.test("act", credentials: [.test("api_key", "alice's")]), .test("act")]) { call in
            .json(JSONValue(try call.credential("api_key").count))
        }
        #expect(host.result(of: 1) == 7)
        #expect(host.error(of: 3)?.code == .credentialMissing)
    }

    @Test func missingCredentialNamesTheCommandThatStoresIt() throws {
        let host = try serve([.test("act")]) { call in .json(JSONValue(try call.credential("api_key").count)) }
        #expect(host.error(of: 1)?.message.hasSuffix("nexus secret set sample api_key") == true)
    }

    @Test func credentialThatIsKeptIsEmptyOnceItsCallHasEnded() throws {
        var kept: CredentialBox?
        _ = try serve([.test("act", credentials: [.test("api_key", "k")])]) { call in
            kept = try call.box("api_key")
            #expect(CredentialValue(try call.box("api_key")).count == 1)
            return .json([:])
        }
        #expect(kept?.withBytes { $0.count } == 0)
    }

    @Test func callKeptBeyondItsEndIsPowerless() throws {
        var kept: ToolCall?
        _ = try serve([.test("act", credentials: [.test("api_key", "k")])]) { call in
            kept = call
            return .json([:])
        }
        #expect(throws: ToolError.self) { try kept?.credential("api_key").count }
        #expect(throws: ToolError.self) { try kept?.callHost("kv.get", Message.Payload([:])) }
        #expect(kept?.isCancelled == true)
    }

    @Test func deadlineThatHasPassedLeavesNoTime() throws {
        _ = try serve([.test("act", deadline: Clock.unixMilliseconds() + 60_000)]) { call in
            #expect((1...60_000).contains(call.remainingMilliseconds))
            return .json([:])
        }
    }
}
