internal import ArgumentParser
internal import Foundation
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

    @Option(name: .shortAndLong, help: ArgumentHelp("Write the answer's bytes to a file.", valueName: "file"))
    var output: String?

    @Flag(
        help: ArgumentHelp(
            "Write the answer's bytes as they come, to standard output or --output; then the result, to standard error."
        ))
    var stream = false

    func perform() async throws {
        do {
            _ = try JSONValue(parsing: arguments)
        } catch {
            throw CommandFailure("the arguments are not JSON: \(error)")
        }
        guard !stream else {
            return try await StreamedCall(client: host.client, isJSON: host.json, output: output).make(
                name, Array(arguments.utf8))
        }
        let answer = try await host.client.send(.post, APIPath.call(name), body: Array(arguments.utf8))
        guard let result = try? JSONSlice.bytes(at: ["result"], in: answer, limits: Self.limits) else {
            throw CommandFailure("nexusd's answer is not JSON")
        }
        // As the plugin wrote it.
        host.output.line(String(decoding: result, as: UTF8.self))
        if let content = try? JSONValue(parsing: answer, limits: Self.limits)["content"] { try deliver(content) }
    }

    /// An answer of 8 MiB in base64, and its JSON.
    private static let limits = JSONLimits(bytes: 32 << 20, depth: 66, values: 200_100)

    private func deliver(_ content: JSONValue) throws {
        let bytes = content["base64"]?.stringValue.flatMap { Data(base64Encoded: $0) }
        let data = bytes ?? Data((content["text"]?.stringValue ?? "").utf8)
        if let output {
            guard (try? data.write(to: URL(fileURLWithPath: output))) != nil else {
                throw CommandFailure("--output: \(output) cannot be written")
            }
        } else if let text = content["text"]?.stringValue {
            for line in text.split(separator: "\n") { host.output.line(String(line).printable) }
        } else {
            host.output.line("\(data.count) bytes of \(content.shown("mediaType")); keep them with --output FILE")
        }
    }
}
