internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// `nexus plugin logs NAME --follow`
struct PluginLogsCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what a plugin logged and printed, and what nexusd says of its mistakes.",
        discussion: "The host keeps the last lines of each plugin while it runs.")
    @OptionGroup var host: HostOptions
    @OptionGroup var plugin: PluginName

    @Flag(name: .shortAndLong, help: "Go on with lines as they come, until interrupted.")
    var follow = false

    func perform() async throws {
        var after = 0
        while true {
            let answer = try await host.client.json(
                .get, APIPath.plugin(plugin.name, "log"), query: [("after", "\(after)")])
            let lines = answer.list("lines")
            for line in lines { host.output.line(host.json ? line.text : Self.text(line)) }
            after = answer["next"]?.intValue ?? after
            if lines.isEmpty {
                guard follow else { return }
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }

    /// The clock's time in UTC, the words, and the request on whose behalf they were said.
    static func text(_ line: JSONValue) -> String {
        let clock = line["time"]?.stringValue?.split(separator: "T").last.map { "\($0.printable) " } ?? ""
        let text = line["text"]?.stringValue?.printable ?? ""
        return clock + (line["request"]?.stringValue.map { "\(text)  request=\($0.printable)" } ?? text)
    }
}
