import Glibc
import JSONBytes
import Testing

@testable import PluginSDK

@Suite struct PluginMainTests {
    private struct Order: ToolArguments {
        @Argument("How many", in: 1...3) var count: Int
        init() {}
    }

    private struct Wrong: ToolArguments {
        @Argument("How many", in: 1...3) var count: Int = 4
        init() {}
    }

    private func described(_ plugin: Plugin) throws -> (status: Int32, output: String, errors: String) {
        var output: [Int32] = [0, 0]
        var errors: [Int32] = [0, 0]
        try #require(pipe(&output) == 0)
        try #require(pipe(&errors) == 0)
        let status = PluginMain.describe(plugin, output: output[1], errors: errors[1])
        let texts = [output, errors].map { ends in
            close(ends[1])
            defer { close(ends[0]) }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(ends[0], &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
        return (status, texts[0], texts[1])
    }

    @Test func describePrintsTheToolsAsOneLineOfJSON() throws {
        let plugin = Plugin(name: "sample")
        plugin.tool("order", "Orders") { (_: Order, _) in [:] }
        let (status, output, errors) = try described(plugin)
        #expect(status == 0 && errors.isEmpty)
        #expect(output.hasSuffix("]}\n") && output.count { $0 == "\n" } == 1)
        let tool = try #require(try JSONValue(parsing: Array(output.utf8))["tools"]?.arrayValue?.first)
        #expect(tool["name"] == "order")
        #expect(tool["inputSchema"]?["properties"]?["count"]?["maximum"] == 3)
    }

    @Test func describeTellsEveryMistakeAndFails() throws {
        let plugin = Plugin(name: "sample")
        plugin.tool("order") { (_: Wrong, _) in [:] }
        plugin.tool("order") { (_: Wrong, _) in [:] }
        let (status, output, errors) = try described(plugin)
        #expect(status == 1)
        #expect(output.hasPrefix("{\"tools\":["))
        #expect(errors.split(separator: "\n").count == 3)
        #expect(errors.hasPrefix("sample: the tool \"order\" is registered twice"))
    }
}
