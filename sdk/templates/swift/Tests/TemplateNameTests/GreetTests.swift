import PluginSDK
import PluginSDKTesting
import TemplateNameTools
import Testing

/// The plugin's tools against a fake host in this process: real frames, no jail.
struct GreetTests {
    @Test func itGreetsByName() async throws {
        let answer = try await call(["name": "Ada"])
        #expect(answer.value == ["greeting": "Hello, Ada!"])
    }

    @Test func itGreetsAsOftenAsAsked() async throws {
        let answer = try await call(["name": "Ada", "times": 2])
        #expect(answer.value == ["greeting": "Hello, Ada! Hello, Ada!"])
    }

    @Test func aMissingNameIsTheCallersMistake() async throws {
        let answer = try await call([:])
        #expect(answer.error?.message.contains("name") == true)
    }

    private func call(_ arguments: JSONValue) async throws -> HarnessAnswer {
        let plugin = Plugin(name: "template-name")
        register(on: plugin)
        let host = try await PluginHarness(plugin)
        let answer = await host.call("template_name_greet", arguments)
        try await host.stop()
        return answer
    }
}
