import PluginABI
import Testing

@testable import HostCore

@Suite struct PolicyTests {
    @Test func decisionsNameTheirRule() throws {
        let plugin = try SamplePlugin.installed()
        let tool = try #require(plugin.manifest.tools.first)
        for principal in ["alice", "team/alice"] {
            let decision = Policy().decide(Caller(actor: "agent", principal: principal), tool: tool, of: plugin)
            #expect(decision == .allow(rule: "installed-tools"))
        }
        for principal in ["", "a/b/c", "a\0", "a/"] {
            let decision = Policy().decide(Caller(actor: "agent", principal: principal), tool: tool, of: plugin)
            #expect(
                decision == .deny(rule: "principal-is-valid", reason: "\"\(principal)\" is not a valid principal"))
        }
    }
}
