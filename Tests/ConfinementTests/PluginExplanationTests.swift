import PluginABI
import Sandbox
import Testing

@testable import Confinement

@Suite struct PluginExplanationTests {
    private func manifest(_ permissions: String, version: String = "1.0.0") throws -> PluginManifest {
        try PluginManifest(
            parsing: Array(
                #"""
                {"manifest":1,"name":"sample","version":"\#(version)","kind":"tool","description":"d",
                 "abi":{"min":1,"max":1},"runtime":{"executable":"bin/x"},"permissions":{\#(permissions)},
                 "tools":[{"name":"t","description":"d","inputSchema":{"type":"object"}}]}
                """#.utf8))
    }

    private static let fetch =
        #""http.fetch":[{"endpoint":"e","origin":"https://a.example","methods":["GET","POST"],"#
        + #""paths":["/v1/"],"reason":"prices"}]"#

    @Test func aPluginThatAsksForNothingHasNoNetworkAndNoServices() throws {
        let explanation = try PluginExplanation.explain(try manifest(""), python: nil)
        #expect(explanation["network"].isEmpty && explanation["host services"].isEmpty)
        #expect(explanation["not enforced"].isEmpty && explanation["refused at install"].isEmpty)
        #expect(explanation["plugin"].contains(.init("version", "1.0.0")))
        #expect(explanation.text.contains("network\n  none"))
        #expect(explanation["system calls"].contains { $0.what == "read" })
    }

    @Test func permissionsAreShownWithTheirReasons() throws {
        let asked =
            Self.fetch + #","kv":{"megabytes":2,"reason":"cache"},"#
            + #""resources":{"memoryMegabytes":64,"reason":"r"}"#
        let explanation = try PluginExplanation.explain(try manifest(asked), python: nil)
        #expect(
            explanation["network"] == [
                .init("GET POST https://a.example/v1/", "asked of the host, as endpoint e: prices")
            ])
        #expect(explanation["host services"] == [.init("a store of 2 MiB", "cache")])
        #expect(explanation["limits"].contains(.init("memory", "64 MiB")))
    }

    @Test func whatTheNextVersionAsksForShowsInTheDifference() throws {
        let old = try PluginExplanation.explain(try manifest(""), python: nil)
        let new = try PluginExplanation.explain(try manifest(Self.fetch, version: "1.1.0"), python: nil)
        #expect(
            ExplanationDifference(from: old, to: new).text == """
                ~ plugin: version: 1.0.0 → 1.1.0
                + network: GET POST https://a.example/v1/: asked of the host, as endpoint e: prices
                """)
    }

    @Test func machineWithoutPythonSaysSo() throws {
        var python = try manifest("")
        python.runtime = .python
        #expect(throws: JailError.self) { try PluginExplanation.explain(python, python: nil) }
        let runtime = PythonRuntime(mounts: [JailMount(source: "/a", destination: "/b")])
        #expect(try PluginExplanation.explain(python, python: runtime)["files"].contains { $0.what == "/b" })
    }
}
