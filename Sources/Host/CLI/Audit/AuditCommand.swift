internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read the record of what was asked, decided and done.",
        subcommands: [AuditTailCommand.self])
}

struct AuditTailCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Show the last entries, oldest first.")
    @OptionGroup var host: HostOptions

    @Option(name: .shortAndLong, help: "How many.")
    var count: Int = 20

    func perform() async throws {
        let answer = try await host.client.send(.get, APIPath.audit, query: [("count", String(count))])
        if host.json {
            host.output.line(String(decoding: answer.dropLast(), as: UTF8.self))
            return
        }
        for line in answer.split(separator: 0x0A) {
            guard let entry = try? JSONValue(parsing: Array(line)) else { continue }
            show(entry)
        }
    }

    private func show(_ entry: JSONValue) {
        let fixed: Set<String> = ["seq", "prev", "time", "kind", "layers"]
        let words = (entry.objectValue?.members ?? []).compactMap { member -> String? in
            guard !fixed.contains(member.key), member.value != .null, member.value != .object(JSONObject()) else {
                return nil
            }
            return "\(member.key)=\(member.value.stringValue?.printable ?? member.value.text)"
        }
        let kind = entry.shown("kind")
        let label = ["denied", "refused"].contains(kind) ? host.output.red(kind) : host.output.bold(kind)
        host.output.line(
            "\(host.output.dim(entry.shown("seq"))) \(entry.shown("time")) \(label) \(words.joined(separator: " "))")
    }
}
