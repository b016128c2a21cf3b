import JSONBytes
import PluginABI
import PluginSDKTesting
import Testing

@testable import PluginSDK

@Suite struct PluginTests {
    private struct Order: ToolArguments {
        @Argument("Trading pair", minLength: 1) var symbol: String
        init() {}
    }

    private struct Receipt: ToolArguments, ToolOutput {
        @Output("What came of it") var note: String
        init() {}
    }

    private struct Stray: ToolArguments {
        @Argument var name: String
        var helper = 3
        init() {}
    }

    private struct Wrong: ToolArguments {
        @Argument("How often", in: 1...3) var times: Int = 4
        init() {}
    }

    private struct Endless: ToolArguments {
        @Argument var inner: [Endless]
        init() {}
    }

    @Test func descriptionHasWhatAManifestNeeds() {
        let plugin = Plugin(name: "sample")
        let options = ToolOptions(
            title: "Order", credentials: ["api_key"], content: "text/csv", annotations: ["readOnlyHint": true])
        plugin.tool("sample_order", "Orders", options: options) { (order: Order, _) in
            var receipt = Receipt()
            receipt.note = order.symbol
            return receipt
        }
        #expect(
            plugin.description == [
                "tools": [
                    [
                        "name": "sample_order", "title": "Order", "description": "Orders",
                        "inputSchema": [
                            "type": "object",
                            "properties": [
                                "symbol": ["type": "string", "description": "Trading pair", "minLength": 1]
                            ],
                            "required": ["symbol"], "additionalProperties": false,
                        ],
                        "outputSchema": [
                            "type": "object",
                            "properties": ["note": ["type": "string", "description": "What came of it"]],
                            "required": ["note"], "additionalProperties": false,
                        ],
                        "content": "text/csv", "annotations": ["readOnlyHint": true], "credentials": ["api_key"],
                    ]
                ]
            ])
    }

    private func mistake(_ register: (Plugin) -> Void) -> String? {
        let plugin = Plugin(name: "sample")
        register(plugin)
        return plugin.mistakes.first
    }

    @Test func mistakesOfTheAuthorAreToldWithTheirFix() {
        #expect(
            mistake { $0.tool("t") { (_: Stray, _) in [:] } }
                == "the tool \"t\" cannot be offered: the property \"helper\" of Stray is no @Argument; "
                + "write @Argument before it, or make it computed")
        #expect(
            mistake { $0.tool("t") { (_: Wrong, _) in [:] } }
                == "the tool \"t\" cannot be offered: the default of Wrong.times breaks its own limits: "
                + "it must be at most 3")
        #expect(mistake { $0.tool("t") { (_: Endless, _) in [:] } }?.contains("must not contain itself") == true)
        #expect(
            mistake { $0.tool("t", options: ToolOptions(inputSchema: ["pattern": "a"])) { _ in .json([:]) } }?
                .contains("\"pattern\" is not supported") == true)
        #expect(
            mistake {
                $0.tool("t") { _ in .json([:]) }
                $0.asyncTool("t") { _ in .json([:]) }
            } == "the tool \"t\" is registered twice; give one of them another name")
    }

    @Test func mistakeInATypeIsToldToWhoeverCallsTheTool() throws {
        let plugin = Plugin(name: "sample")
        plugin.tool("wrong") { (_: Wrong, _) in [:] }
        plugin.tool("right") { (_: NoArguments, _) in [:] }
        let host = FakeHost.wholeLife(calls: [(1, .test("wrong")), (3, .test("right"))])
        try Session(plugin: plugin, link: host).run()
        #expect(host.error(of: 1)?.code == .pluginFailed)
        #expect(host.error(of: 1)?.message == plugin.mistakes.first)
        #expect(host.result(of: 3) == [:])
    }

    @Test func harnessDoesNotStartAPluginWithAMistake() async {
        let error = await #expect(throws: HarnessFailure.self) {
            let plugin = Plugin(name: "sample")
            plugin.tool("wrong") { (_: Wrong, _) in [:] }
            _ = try await PluginHarness(plugin)
        }
        #expect(error?.description.contains("Wrong.times breaks its own limits") == true)
    }

    @Test func typedToolReadsArgumentsAndWritesItsResult() throws {
        let plugin = Plugin(name: "sample")
        plugin.tool("order") { (order: Order, _) in
            var receipt = Receipt()
            if order.symbol != "UNSET" { receipt.note = order.symbol }
            return receipt
        }
        let host = FakeHost.wholeLife(calls: [
            (1, .test("order", ["symbol": "BTC"])), (3, .test("order", ["symbol": ""])),
            (5, .test("order", ["symbol": "UNSET"])),
        ])
        try Session(plugin: plugin, link: host).run()
        #expect(host.result(of: 1) == ["note": "BTC"])
        #expect(host.error(of: 3) == ABIError(.invalidArguments, "/symbol: must have at least 1 characters, found 0"))
        #expect(host.error(of: 5)?.message == "the property \"note\" of Receipt was never set")
    }
}
