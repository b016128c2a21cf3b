internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// `nexus plugin incidents`, and `nexus plugin incidents show ID`.
struct PluginIncidentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents", abstract: "List how plugins, and nexus-jail, came to an end that nobody asked for.",
        subcommands: [IncidentListCommand.self, IncidentShowCommand.self], defaultSubcommand: IncidentListCommand.self)
}

struct IncidentListCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The latest incidents, the latest first.")
    @OptionGroup var host: HostOptions

    @Argument(help: "Only those of this plugin.")
    var name: String?

    @Option(help: "How many.")
    var limit: Int = 20

    func perform() async throws {
        let query = [("limit", "\(limit)")] + (name.map { [("plugin", $0)] } ?? [])
        host.output.show(try await host.client.json(.get, APIPath.incidents, query: query)) { answer in
            let rows = answer.list("incidents").map { incident in
                [IncidentText.time(incident)]
                    + ["id", "plugin", "version", "instance", "state", "cause"].map { incident.shown($0) }
            }
            if rows.isEmpty { host.output.line("no incidents") }
            host.output.table(["TIME", "ID", "PLUGIN", "VERSION", "INSTANCE", "STATE", "CAUSE"], rows)
            let unwritten = answer.list("incidents").count { $0["id"] == .null }
            if unwritten > 0 { host.output.line("\(unwritten) without an id: not on the disk yet; free space there") }
        }
    }
}

struct IncidentShowCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show all that is known of one incident.")
    @OptionGroup var host: HostOptions

    @Argument(help: "Its id, from `nexus plugin incidents` or the audit log.")
    var id: String

    func perform() async throws {
        let answer = try await host.client.json(.get, APIPath.incident(id))
        host.output.show(answer) { IncidentText(output: host.output).show($0) }
    }
}

struct IncidentText {
    let output: Output

    /// RFC 3339, in the machine's time zone's seconds from Greenwich.
    static func time(_ json: JSONValue, _ name: String = "time") -> String {
        guard let milliseconds = json[name]?.intValue else { return "–" }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
    }

    func show(_ incident: JSONValue) {
        let who = incident["plugin"]?.stringValue == nil ? "nexus-jail" : incident.shown("plugin")
        output.line("\(output.bold("incident \(incident.shown("id"))")) \(Self.time(incident))")
        output.line("plugin     \(who) \(incident.shown("version"))   instance \(incident.shown("instance"))")
        output.line("cause      \(output.red(incident.shown("cause")))")
        output.line("process    \(incident.shown("end"))   limit \(incident.shown("limit"))")
        output.line("state      \(incident.shown("state"))   up \(incident.shown("uptimeMilliseconds")) ms")
        output.line("calls      \(words(incident, "calls"))")
        output.line("received   \(words(incident, "received"))")
        output.line("sent       \(words(incident, "sent"))")
        let layers = incident.list("layers")
        if !layers.isEmpty { output.line() }
        output.table(
            ["LAYER OF ITS JAIL", "STATE", "DETAIL"],
            layers.map { [$0.shown("layer"), $0.shown("state"), $0.shown("detail")] })
        let said = incident.list("standardError").compactMap(\.stringValue)
        if !said.isEmpty { output.line("\n" + output.bold("STANDARD ERROR")) }
        for line in said { output.line("  \(line.printable)") }
    }

    private func words(_ incident: JSONValue, _ name: String) -> String {
        let list = incident.list(name).compactMap(\.stringValue)
        return list.isEmpty ? "–" : list.map(\.printable).joined(separator: " ")
    }
}
