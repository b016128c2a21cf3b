import PluginSDK

/// What `template_name_greet` takes. Its JSON Schema is made of this.
struct Greeting: ToolArguments {
    @Argument("Whom to greet", minLength: 1, maxLength: 80) var name: String
    @Argument("How often", in: 1...10) var times: Int = 1
    init() {}
}

/// The plugin's tools. `nexus dev` copies their descriptions into plugin.json.
public func register(on plugin: Plugin) {
    plugin.tool("template_name_greet", "Greets somebody") { (arguments: Greeting, call) in
        let words = Array(repeating: "Hello, \(arguments.name)!", count: arguments.times)
        return ["greeting": .string(words.joined(separator: " "))]
    }
}
