import Foundation
import JSONBytes
import Testing

/// One host a home, one listener a port; errors that say by what and how to change it.
@Suite(.serialized) struct OwnershipTests {
    @Test func aSecondHostOnAHomeIsRefusedAndToldWhoHasIt() throws {
        let host = try TestHost()
        let outcome = try Program.run(
            host.person.prefix + [try Built.program("nexusd"), "--home", host.home, "--port", "0"])
        #expect(outcome.status == 75, "\(outcome)")
        #expect(outcome.errors.contains("is in use by nexusd, process \(host.processID)"), "\(outcome)")
        #expect(outcome.errors.contains("nexus down") && outcome.errors.contains("--home"), "\(outcome)")
    }

    @Test func aPortInUseIsNamedWithItsOwnerAndTheWayOut() throws {
        let host = try TestHost()
        let other = "/tmp/nexus-e2e-home-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: other) }
        let outcome = try Program.run(
            try host.command(["up", "--home", other, "--port", "\(host.port)"]))
        #expect(outcome.status == 75, "\(outcome)")
        #expect(outcome.errors.contains("port \(host.port) on 127.0.0.1 is in use by"), "\(outcome)")
        #expect(outcome.errors.contains("--port"), "\(outcome)")
    }

    @Test func manyStartersMakeOneHost() throws {
        let home = "/tmp/nexus-e2e-home-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: home) }
        let nexus = Person.available[0].prefix + [try Built.program("nexus")]
        let starters = try (0..<6).map { _ in
            try Program.start(nexus + ["up", "--home", home, "--port", "0", "--json"])
        }
        let outcomes = try starters.map { try $0.finish(seconds: 60) }
        #expect(outcomes.allSatisfy { $0.status == 0 }, "\(outcomes)")
        let processes = try Set(outcomes.map { try $0.json()["processID"]?.intValue })
        #expect(processes.count == 1)
        #expect(try Program.run(nexus + ["down", "--home", home]).status == 0)
    }

    @Test func aMasterKeyInTheEnvironmentIsMovedToTheFileWithAWarning() throws {
        let key = String(repeating: "5a", count: 32)
        let host = try TestHost(Person.available[0], environment: ["NEXUS_MASTER_KEY": key])
        #expect(try String(contentsOfFile: "\(host.home)/master.key", encoding: .utf8) == key + "\n")
        let log = try String(contentsOfFile: "\(host.home)/nexusd.log", encoding: .utf8)
        #expect(log.contains("remove the variable") && !log.contains(key))
    }

    @Test func rootGivesUpRootAndOnlyTheLauncherKeepsIt() throws {
        guard geteuid() == 0 else { return withKnownIssue("needs root") { Issue.record("not root") } }
        let host = try TestHost(.root)
        try host.install("echo")
        try host.nexus("plugin", "start", "echo")
        func ids(_ process: Int32) throws -> Set<Substring> {
            let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("Uid:") } ?? ""
            return Set(line.split(separator: "\t").dropFirst())
        }
        #expect(try !ids(host.processID).contains("0"))
        let jail = try host.jailProcesses()
        #expect(jail.count == 2 && jail.contains(host.launcherID))
        for process in jail { #expect(try ids(process) == ["0"]) }
        for process in Set(try host.descendants()).subtracting(jail) {
            let uid = try #require(try ids(process).first.flatMap { Int($0) })
            #expect((2_000_000_000...2_000_065_535).contains(uid), "process \(process) runs as \(uid)")
        }
    }
}
