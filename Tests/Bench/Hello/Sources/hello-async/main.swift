import PluginSDK

struct Greeting: ToolArguments {
    @Argument("Whom to greet", minLength: 1, maxLength: 80) var name: String
    init() {}
}

PluginMain.run(name: "hello") { plugin in
    plugin.asyncTool("hello_greet", "Greets somebody") { (arguments: Greeting, call) in
        ["greeting": .string("Hello, \(arguments.name)!")]
    }
}
