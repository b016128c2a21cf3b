import PluginABI
import Sandbox
import Testing

@testable import Confinement

@Suite struct ConfinementTests {
    private static let python = PythonRuntime(mounts: [JailMount(source: "/a", destination: "/b")])

    private func manifest(
        _ runtime: String = #""executable":"bin/x","arguments":["-v"]"#, permissions: String = ""
    ) throws -> PluginManifest {
        try PluginManifest(
            parsing: Array(
                #"""
                {"manifest":1,"name":"sample","version":"1.0.0","kind":"tool","description":"d",
                 "abi":{"min":1,"max":1},"runtime":{\#(runtime)},"permissions":{\#(permissions)},
                 "tools":[{"name":"t","description":"d","inputSchema":{"type":"object"}}]}
                """#.utf8))
    }

    @Test func nativePluginRunsItsSealedBytesInAnEmptyTree() throws {
        let policy = try Confinement.policy(for: try manifest(), instance: "sample#1", python: Self.python)
        #expect(
            policy
                == JailPolicy(
                    name: "sample#1", profile: "strict", program: .sealed, arguments: ["sample", "-v"],
                    limits: .standard))
    }

    @Test func pythonPluginIsAnIsolatedInterpreterAndOneScript() throws {
        let manifest = try manifest(#""type":"python","executable":"app.pyz","arguments":["-v"]"#)
        let policy = try Confinement.policy(for: manifest, instance: "sample#1", python: Self.python)
        #expect(
            policy
                == JailPolicy(
                    name: "sample#1", profile: "python",
                    program: .script(interpreter: "/usr/bin/python3", script: "/plugin.pyz"),
                    arguments: ["/usr/bin/python3", "-I", "-S", "-B", "/plugin.pyz", "-v"], mounts: Self.python.mounts))
    }

    @Test func pluginThatIsPassedSocketsHasTheFilterThatHoldsThem() throws {
        let asked = #""net.connect":[{"host":"db.example.com","port":5432,"reason":"r"}]"#
        let python = #""type":"python","executable":"app.pyz""#
        for (runtime, profile) in [(#""executable":"bin/x""#, "strict-tcp"), (python, "python-tcp")] {
            let plain = try Confinement.policy(for: manifest(runtime), instance: "i", python: Self.python)
            var policy = try Confinement.policy(
                for: manifest(runtime, permissions: asked), instance: "i", python: Self.python)
            #expect(policy.profile == profile && plain.profile != profile)
            policy.profile = plain.profile
            #expect(policy == plain, "nothing else differs")
        }
    }

    @Test func machineWithoutPythonSaysWhatToInstall() throws {
        let manifest = try manifest(#""type":"python","executable":"app.pyz""#)
        let error = #expect(throws: JailError.self) {
            try Confinement.policy(for: manifest, instance: "sample#1", python: nil)
        }
        #expect(
            error?.message
                == "sample is written in Python, and this machine has no usable /usr/bin/python3; "
                + "install it with apt-get install python3, then restart nexusd")
    }

    @Test func resourcesBecomeLimits() throws {
        let asked =
            #""resources":{"memoryMegabytes":64,"processes":3,"openFiles":32,"temporaryMegabytes":2,"reason":"r"}"#
        let policy = try Confinement.policy(for: manifest(permissions: asked), instance: "i", python: nil)
        #expect(
            policy.limits
                == JailLimits(
                    memoryBytes: 64 << 20, processes: 3, openFiles: 32, fileBytes: 2 << 20, temporaryBytes: 2 << 20))
    }
}
