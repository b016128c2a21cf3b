import Glibc
import JSONBytes
import PluginSDKTesting
import Testing

@testable import PluginSDK

/// `ToolCall.connect`, in waiting and in asynchronous tools, with a socketpair in the place of the connection.
@Suite struct ConnectionTests {
    private func pair() throws -> (plugin: Int32, peer: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    private func plugin() -> Plugin {
        let plugin = Plugin(name: "sample")
        plugin.tool("ask") { call in
            let connection = try call.connect("db.example.com", port: 5432)
            try connection.write(Array("ping".utf8))
            connection.finishWriting()
            return .json(["answer": .string(String(decoding: try connection.read(), as: UTF8.self))])
        }
        plugin.asyncTool("ask_later") { call in
            let connection = try await call.connect("db.example.com", port: 5432)
            try connection.write(Array("ping".utf8))
            connection.finishWriting()
            return .json(["answer": .string(String(decoding: try connection.read(), as: UTF8.self))])
        }
        return plugin
    }

    @Test(arguments: ["ask", "ask_later"])
    func toolSpeaksOnTheConnectionAndItIsClosedAfterwards(tool: String) async throws {
        let ends = try pair()
        #expect(write(ends.peer, "pong", 4) == 4)
        let services = HarnessServices(connect: { host, port in
            #expect(host == "db.example.com" && port == 5432)
            return ends.plugin
        })
        let harness = try await PluginHarness(plugin(), services: services)
        #expect(await harness.call(tool).value == ["answer": "pong"])
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(recv(ends.peer, &bytes, 8, 0) == 4 && bytes.starts(with: Array("ping".utf8)))
        #expect(recv(ends.peer, &bytes, 8, 0) == 0, "the plugin has closed its end")
        close(ends.peer)
        try await harness.stop()
    }

    @Test(arguments: ["ask", "ask_later"])
    func refusalIsTheErrorOfTheCall(tool: String) async throws {
        let harness = try await PluginHarness(plugin())
        #expect(
            await harness.call(tool).error == ToolError(.permissionDenied, "the harness was given no net.connect"))
        try await harness.stop()
    }

    @Test func socketThatNobodyAskedForIsClosed() async throws {
        let ends = try pair()
        let plugin = Plugin(name: "sample")
        plugin.asyncTool("ignore") { call in
            _ = try await call.callHost("net.connect", ToolCall.request("db.example.com", 5432))
            return .json(1)
        }
        let harness = try await PluginHarness(plugin, services: HarnessServices(connect: { _, _ in ends.plugin }))
        #expect(await harness.call("ignore").value == 1)
        var byte: UInt8 = 0
        #expect(recv(ends.peer, &byte, 1, 0) == 0)
        close(ends.peer)
        try await harness.stop()
    }

    @Test func releasedDescriptorIsTheCallers() throws {
        let ends = try pair()
        let descriptor = Connection(descriptor: ends.plugin).release()
        #expect(fcntl(descriptor, F_GETFD) >= 0)
        Connection(descriptor: descriptor).close()
        var byte: UInt8 = 0
        #expect(recv(ends.peer, &byte, 1, 0) == 0)
        #expect(throws: ToolError.self) { try Connection(descriptor: -1).read() }
        close(ends.peer)
    }

    @Test func readGivesWhatIsThereAndNothingAtTheEnd() throws {
        let ends = try pair()
        let connection = Connection(descriptor: ends.plugin)
        #expect(write(ends.peer, "abcdef", 6) == 6)
        close(ends.peer)
        #expect(try connection.read(upTo: 4) == Array("abcd".utf8))
        #expect(try connection.read() == Array("ef".utf8))
        #expect(try connection.read() == [])
    }
}
