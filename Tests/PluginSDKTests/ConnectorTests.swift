import JSONBytes
import PluginABI
import PluginSDKTesting
import Testing

@testable import PluginSDK

@Suite(.timeLimit(.minutes(1))) struct ConnectorTests {
    private func names(_ message: Message) -> [String]? {
        guard case .tools(let json) = message, let tools = try? JSONValue(parsing: json)["tools"] else { return nil }
        return tools.arrayValue?.compactMap { $0["name"]?.stringValue }
    }

    @Test func offeredToolsAreToldAtTheStartAndWhenTheyChange() throws {
        let plugin = Plugin(name: "sample")
        let connector = plugin.connector { call in .json(["served": .string(call.tool)]) }
        plugin.tool("swap") { _ in
            try connector.offer([OfferedTool("second", "Another")])
            return .json([:])
        }
        plugin.onInitialize { _ in try connector.offer([OfferedTool("first", "One")]) }
        let host = FakeHost.wholeLife(calls: [
            (1, .test("first")), (3, .test("swap")), (5, .test("first")), (7, .test("second")),
        ])
        try Session(plugin: plugin, link: host).run()
        #expect(host.kinds.prefix(4) == [.hello, .initialized, .tools, .started])
        #expect(host.received.compactMap { names($0.message) } == [["swap", "first"], ["swap", "second"]])
        #expect(host.result(of: 1) == ["served": "first"])
        // Calls 5 and 7 came in with call 3, before the change.
        #expect(host.error(of: 5)?.code == .unknownTool)
        #expect(host.error(of: 7)?.code == .unknownTool)
    }

    @Test func toolOfferedWhileRunningIsServed() async throws {
        let plugin = Plugin(name: "sample")
        let connector = plugin.asyncConnector { call in .json(["served": .string(call.tool)]) }
        let harness = try await PluginHarness(plugin)
        #expect(await harness.call("late").error?.code == .unknownTool)
        try connector.offer([OfferedTool("late")])
        #expect(await harness.call("late").value == ["served": "late"])
        try connector.offer([])
        #expect(await harness.call("late").error?.code == .unknownTool)
        try await harness.stop()
    }

    @Test func offerWithAMistakeIsRefused() {
        let connector = Plugin(name: "sample").connector { _ in .json([:]) }
        let wrong = ToolOptions(inputSchema: ["pattern": "a"])
        for tools in [[OfferedTool("a"), OfferedTool("a")], [OfferedTool("a", options: wrong)]] {
            let error = #expect(throws: ToolError.self) { try connector.offer(tools) }
            #expect(error?.code == .invalidArguments)
        }
        #expect(connector.tools.isEmpty)
    }
}
