internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

struct ToolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tool", abstract: "List tools and call one.",
        subcommands: [ToolListCommand.self, ToolCallCommand.self])
}

struct ToolListCommand: HostCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the tools of all plugins.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        host.output.show(try await host.client.json(.get, APIPath.tools)) { answer in
            let rows = answer.list("tools").map {
                [$0.shown("name"), $0.shown("plugin"), String($0.shown("description").prefix(80))]
            }
            if rows.isEmpty { host.output.line("no tools: no plugin is installed") }
            host.output.table(["TOOL", "PLUGIN", "WHAT IT DOES"], rows)
        }
    }
}

struct ToolCallCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Call a tool as yourself and print its result, a JSON value.",
        discussion: "Example: nexus tool call crypto_price '{\"symbol\":\"BTCUSDT\"}'")
    @OptionGroup var host: HostOptions

    @Argument(help: "The tool's name.")
    var name: String

    @Argument(help: "Its arguments, a JSON object.")
    var arguments: String = "{}"

    func perform() async throws {
        do {
            _ = try JSONValue(parsing: arguments)
        } catch {
            throw CommandFailure("the arguments are not JSON: \(error)")
        }
        let answer = try await host.client.send(.post, APIPath.call(name), body: Array(arguments.utf8))
        host.output.line(String(decoding: answer, as: UTF8.self))
    }
}
