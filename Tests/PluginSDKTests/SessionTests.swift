import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

@Suite struct SessionTests {
    private func plugin(_ handler: @escaping Plugin.ToolHandler = { _ in .json([:]) }) -> Plugin {
        let plugin = Plugin(name: "sample")
        plugin.tool("act", handler: handler)
        return plugin
    }

    @Test func wholeLifeFollowsTheOrderOfTheABI() throws {
        let host = FakeHost.wholeLife()
        try Session(plugin: plugin(), link: host).run()
        #expect(host.kinds == [.hello, .initialized, .started, .pong, .stopped, .disposed])
    }

    @Test func helloNamesThePluginAndItsVersions() throws {
        let host = FakeHost.wholeLife()
        try Session(plugin: plugin(), link: host).run()
        guard case .hello(let versions, let name, let sdk) = host.received[0].message else {
            Issue.record("no hello")
            return
        }
        #expect(versions == .supported)
        #expect(name == "sample")
        #expect(sdk?.hasPrefix("swift/") == true)
    }

    @Test func configurationReachesThePlugin() throws {
        var seen: JSONValue?
        let plugin = plugin()
        plugin.onInitialize { seen = $0 }
        try Session(plugin: plugin, link: FakeHost.wholeLife()).run()
        #expect(seen == [:])
    }

    @Test func refusedConfigurationEndsWithAnErrorFrame() {
        let plugin = plugin()
        plugin.onInitialize { _ in throw ToolError("bad-configuration", "\"venue\" is missing") }
        let host = FakeHost.wholeLife()
        #expect(throws: SessionError.notStarted("bad-configuration: \"venue\" is missing")) {
            try Session(plugin: plugin, link: host).run()
        }
        #expect(host.error(of: 0)?.code.rawValue == "bad-configuration")
    }

    @Test func pluginMayLogWhileItIsConfigured() throws {
        let plugin = plugin()
        plugin.onInitialize { [journal = plugin.journal] _ in journal.log(.info, "configured") }
        let host = FakeHost.wholeLife()
        try Session(plugin: plugin, link: host).run()
        #expect(host.kinds.prefix(3) == [.hello, .log, .initialized])
    }

    @Test func toolRegisteredTwiceIsRefusedBeforeHello() {
        let plugin = plugin()
        plugin.tool("act") { _ in .json([:]) }
        let host = FakeHost.wholeLife()
        #expect(throws: SessionError.notStarted("the tool \"act\" is registered twice; give one of them another name"))
        {
            try Session(plugin: plugin, link: host).run()
        }
        #expect(host.kinds.isEmpty)
    }

    @Test func hostThatLeavesEndsTheSession() {
        #expect(throws: SessionError.hostGone) { try Session(plugin: plugin(), link: FakeHost()).run() }
    }

    @Test func hostThatAbortsIsBelieved() {
        let error = ABIError(.noCommonVersion, "update the plugin")
        let host = FakeHost(steps: [{ $0.put(.abort(error)) }])
        #expect(throws: SessionError.abortedByHost(error)) { try Session(plugin: plugin(), link: host).run() }
        #expect(host.kinds == [.hello])
    }

    @Test func versionThatThePluginDoesNotSpeakIsRefused() throws {
        let host = FakeHost(steps: [{ $0.put(.welcome(version: 7, instance: "test-1", bodyLimit: 1 << 20)) }])
        let error = #expect(throws: SessionError.self) { try Session(plugin: plugin(), link: host).run() }
        #expect(error?.description.contains("ABI 7") == true)
        #expect(host.kinds == [.hello, .abort])
    }

    @Test func callsThatWereQueuedAtStopAreDrained() throws {
        var served = 0
        let plugin = plugin { _ in
            served += 1
            return .json([:])
        }
        let host = FakeHost(steps: [
            { $0.put(.welcome(version: 1, instance: "test-1", bodyLimit: 1 << 20)) },
            { $0.put(.initialize(configuration: Array("{}".utf8))) },
            { $0.put(.start) },
            {
                $0.put(.call(.test("act")), stream: 1)
                $0.put(.call(.test("act")), stream: 3)
                $0.put(.stop(deadline: .max))
            },
            { $0.put(.dispose) },
        ])
        try Session(plugin: plugin, link: host).run()
        #expect(served == 2)
        #expect(host.kinds == [.hello, .initialized, .started, .result, .result, .stopped, .disposed])
    }
}
