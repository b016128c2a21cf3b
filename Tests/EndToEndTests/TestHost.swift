import Foundation
import JSONBytes

/// A real nexusd on a fresh home, driven through the real command line.
final class TestHost {
    let home: String
    let person: Person
    private(set) var processID: Int32 = 0
    private(set) var launcherID: Int32 = 0
    private(set) var port = 0

    /// - Parameter home: a fresh one under /tmp if nil.
    init(
        _ person: Person = Person.available[0], home: String? = nil, environment: [String: String] = [:]
    ) throws {
        self.person = person
        self.home = home ?? "/tmp/nexus-e2e-home-\(UUID().uuidString.prefix(8))"
        try up(environment: environment)
    }

    deinit {
        _ = try? nexus("down")
        if processID > 1 { kill(processID, SIGKILL) }
        try? FileManager.default.removeItem(atPath: home)
    }

    func up(environment: [String: String] = [:]) throws {
        let outcome = try nexus("up", "--port", "0", environment: environment)
        guard outcome.status == 0 else { throw Failure("nexus up: \(outcome)") }
        let status = try nexus("status", "--json").json()
        processID = Int32(status["processID"]?.intValue ?? 0)
        launcherID = Int32(status["launcherID"]?.intValue ?? 0)
        let url = status["mcp"]?.stringValue ?? ""
        port = Int(url.split(separator: ":").last?.prefix { $0.isNumber } ?? "") ?? 0
    }

    var url: String { "http://127.0.0.1:\(port)/mcp" }

    func command(_ arguments: [String]) throws -> [String] {
        person.prefix + [try Built.program("nexus")] + arguments
    }

    @discardableResult
    func nexus(
        _ arguments: String..., environment: [String: String] = [:], input: String = ""
    ) throws -> Program.Outcome {
        try Program.run(
            command(arguments), environment: ["NEXUS_HOME": home].merging(environment) { $1 }, input: input)
    }

    /// Starts a tool call and does not wait for it.
    func begin(_ tool: String, _ arguments: String) throws -> Program.Running {
        try Program.start(command(["tool", "call", tool, arguments, "--json"]), environment: ["NEXUS_HOME": home])
    }

    func call(_ tool: String, _ arguments: String = "{}") throws -> Program.Outcome {
        try nexus("tool", "call", tool, arguments, "--json")
    }

    func install(_ plugin: String) throws {
        let outcome = try nexus("plugin", "install", try Built.plugin(plugin), "--yes", "--json")
        guard outcome.status == 0 else { throw Failure("install \(plugin): \(outcome)") }
    }

    func state(of plugin: String) throws -> JSONValue { try nexus("plugin", "info", plugin, "--json").json() }

    func audit(count: Int = 1_000) throws -> [JSONValue] {
        try nexus("audit", "tail", "--count", "\(count)", "--json").lines()
    }

    /// A token of a user, in a private file that this test's process may read.
    func tokenFile(user: String, _ options: String...) throws -> String {
        let answer = try Program.run(
            command(["token", "create", "--user", user, "--json"] + options), environment: ["NEXUS_HOME": home]
        ).json()
        guard let token = answer["token"]?.stringValue else { throw Failure("no token: \(answer.text)") }
        let path = "/tmp/nexus-e2e-token-\(UUID().uuidString)"
        try Data(token.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// nexus-jail: its keeper and the launcher that it started.
    func jailProcesses() throws -> Set<Int32> {
        let keepers = try Program.run(["/usr/bin/pgrep", "-P", "\(processID)"]).output.split(separator: "\n")
            .compactMap { Int32($0) }
        let launcher = try nexus("status", "--json").json()["launcherID"]?.intValue ?? 0
        return Set(keepers + [Int32(launcher)])
    }

    /// Every process below nexusd.
    func descendants() throws -> [Int32] { try Self.descendants(of: processID) }

    private static func descendants(of process: Int32) throws -> [Int32] {
        let children = try Program.run(["/usr/bin/pgrep", "-P", "\(process)"]).output.split(separator: "\n")
            .compactMap { Int32($0) }
        return try children + children.flatMap { try descendants(of: $0) }
    }
}

/// True while a process exists and is no zombie.
func isAlive(_ process: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
    return status.split(separator: ")").last?.split(separator: " ").first != "Z"
}
