import Foundation
import JSONBytes
import Testing

/// The home's disk is full: what callers and admins are told, what is refused, what is made up for, and that the
/// service comes back by itself.
@Suite(.serialized) struct DiskFaultTests {
    private func error(_ outcome: Program.Outcome) throws -> JSONValue? {
        try JSONValue(parsing: outcome.errors)["error"]
    }

    private func incidents(_ host: TestHost) throws -> [JSONValue] {
        try host.nexus("plugin", "incidents", "echo", "--json").json()["incidents"]?.arrayValue ?? []
    }

    private func descriptors(_ host: TestHost) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(host.processID)/fd").count) ?? 0
    }

    @Test(arguments: Person.available)
    func onAFullDiskCallsAreRefusedDeathsAreKeptAndServiceComesBackByItself(person: Person) throws {
        let disk = try SmallDisk(megabytes: 16)
        let host = try TestHost(person, home: disk.home)
        try host.install("echo")
        #expect(try host.call("echo", #"{"n":1}"#).output == "{\"n\":1}\n")
        let before = (processes: try host.descendants().count, descriptors: descriptors(host))
        let running = try host.begin("sleep", #"{"ms":60000}"#)
        #expect(eventually { (try? host.audit().contains { $0["tool"]?.stringValue == "sleep" }) == true })
        try disk.fill()
        // The log's last page has room for some lines still.
        #expect(try eventually(within: 60) { try error(host.call("no-such-tool"))?["code"] == "audit-failed" })
        let entries = try host.audit().count

        // A call that was made before is answered, and its caller told that the log does not say so.
        let plugin = try #require(
            try host.descendants().first { process in
                (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?.hasPrefix("nexus") == false
            })
        kill(plugin, SIGKILL)
        let made = try error(try running.finish(seconds: 30))
        #expect(made?["code"] == "audit-failed" && made?["retryable"] == false, "\(made?.text ?? "")")
        let outcome = made?["message"]?.stringValue ?? ""
        #expect(outcome.contains("the call was made, and its outcome is not on record: "), "\(outcome)")

        // No call is made that cannot be written down; its caller knows that, and may come again.
        for _ in 0..<5 {
            let refused = try host.call("echo", #"{"n":2}"#)
            let error = try error(refused)
            #expect(
                refused.status == 1 && error?["code"] == "audit-failed" && error?["retryable"] == true, "\(refused)")
            let words = error?["message"]?.stringValue ?? ""
            #expect(
                words.contains("\(disk.home)/audit/log.jsonl cannot be written: No space left on device"), "\(words)")
            #expect(words.contains("free space on its disk"), "\(words)")
        }
        // The death is shown from memory.
        #expect(try eventually { try incidents(host).count == 1 })
        let unwritten = try #require(try incidents(host).first)
        #expect(unwritten["id"] == .null && unwritten["cause"]?.stringValue?.contains("killed by signal 9") == true)
        #expect(try host.nexus("plugin", "incidents", "echo").output.contains("not on the disk yet; free space there"))
        // What an admin wants changed is refused with the path.
        let secret = try host.nexus(
            "secret", "set", "echo", "api_key", "--user", person.name, "--json",
            input: String(repeating: "a value of some length ", count: 600))
        let words = try error(secret)?["message"]?.stringValue ?? ""
        #expect(secret.status == 1 && words.contains("\(disk.home)"), "\(secret)")
        #expect(words.contains("its disk is full; free space on it") || words.contains("No space left"), "\(words)")
        #expect(try host.audit().count == entries, "the log ends with a whole line")

        disk.empty()
        #expect(eventually { (try? host.call("echo", #"{"n":3}"#).output) == "{\"n\":3}\n" })
        #expect(try eventually { try incidents(host).first?["id"]?.intValue != nil })
        #expect(try incidents(host).count == 1, "starts that the log refused are no deaths")
        let written = try host.audit().filter { $0["event"]?.stringValue == "failed" }
        #expect(written.count == 1 && written.first?["happened"]?.stringValue != nil, "\(written)")
        #expect(try eventually { try host.descendants().count == before.processes })
        #expect(eventually { descriptors(host) <= before.descriptors + 4 }, "\(before) \(descriptors(host))")
        // The chain holds, which a start of the host checks.
        try host.nexus("down")
        try host.up()
        #expect(try host.call("echo", #"{"n":4}"#).output == "{\"n\":4}\n")
    }

    @Test(arguments: Person.available)
    func aHostThatFindsItsDiskFullSaysWhatFailedAndStartsOnceThereIsRoom(person: Person) throws {
        let disk = try SmallDisk(megabytes: 16)
        let host = try TestHost(person, home: disk.home)
        try host.install("echo")
        try host.nexus("down")
        #expect(eventually { !isAlive(host.processID) })
        // With some pages left a fresh home comes further: to its lock, its database, its log.
        var said: [String] = []
        for (home, pages) in [(disk.home, 0)] + [4, 12, 24, 48, 96].map({ ("\(disk.path)/fresh-\($0)", $0) }) {
            disk.empty()
            try disk.fill(leaving: pages)
            let refused = try host.nexus("up", "--port", "0", environment: ["NEXUS_HOME": home])
            if refused.status == 0 { try host.nexus("down", environment: ["NEXUS_HOME": home]) }
            try? FileManager.default.removeItem(atPath: "\(disk.path)/fresh-\(pages)")
            guard refused.status != 0 else { continue }
            #expect(refused.status == 1 && refused.errors.contains(home), "\(refused)")
            #expect(refused.errors.contains("; free space on it"), "\(refused)")
            said.append(refused.errors)
        }
        print("nexus up on a full disk:", Set(said).sorted().joined())
        #expect(said.first?.contains("No space left on device; free space on its disk") == true, "\(said)")
        let database = "nexus.sqlite cannot be opened: its disk is full; free space on it (SQLite error 13)"
        #expect(said.contains { $0.contains(database) }, "\(said)")
        disk.empty()
        try host.up()
        #expect(try host.call("echo", #"{"n":1}"#).output == "{\"n\":1}\n")
    }
}
