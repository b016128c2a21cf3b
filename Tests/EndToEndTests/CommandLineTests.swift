import Foundation
import JSONBytes
import Testing

/// The command line by itself: help, JSON, exit codes, the jail for any program.
@Suite(.serialized) struct CommandLineTests {
    static let commands: [[String]] = [
        ["serve"], ["up"], ["down"], ["status"], ["doctor"], ["mcp"], ["plugin", "install"], ["plugin", "list"],
        ["plugin", "info"], ["plugin", "permissions"], ["plugin", "endpoint"], ["plugin", "start"], ["plugin", "stop"],
        ["plugin", "remove"], ["plugin", "upgrade"], ["tool", "list"], ["tool", "call"], ["secret", "set"],
        ["secret", "list"], ["secret", "rm"], ["token", "create"], ["token", "list"], ["token", "revoke"],
        ["audit", "tail"], ["sandbox", "run"], ["sandbox", "probe"], ["sandbox", "explain"], ["new", "tool"], ["dev"],
        ["pack"],
    ]

    @Test func everyCommandHasHelpAndTakesJSON() throws {
        let nexus = try Built.program("nexus")
        for command in Self.commands {
            let outcome = try Program.run([nexus] + command + ["--help"])
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("OVERVIEW:") && outcome.output.contains("--json"), "\(command): \(outcome)")
        }
        #expect(try Program.run([nexus, "--help"]).output.contains("Exit codes: 0 done"))
    }

    @Test func exitCodesAreTheDocumentedOnes() throws {
        let nexus = try Built.program("nexus")
        let none = try Program.run([nexus, "status", "--home", "/tmp/nexus-e2e-nowhere", "--json"])
        #expect(none.status == 3)
        #expect(try JSONValue(parsing: none.errors)["error"]?["message"]?.stringValue?.contains("nexus up") == true)
        #expect(try Program.run([nexus, "plugin", "frobnicate"]).status == 64)
        #expect(try Program.run([nexus, "sandbox", "run", "--", "/no/such/program"]).status == 127)
        #expect(try Program.run([nexus, "sandbox", "run", "--", "/usr/bin"]).status == 126)
    }

    @Test(arguments: Person.available)
    func anyProgramRunsInThePluginJail(person: Person) throws {
        let nexus = person.prefix + [try Built.program("nexus"), "sandbox", "run"]
        #expect(try Program.run(nexus + ["--", "sh", "-c", "exit 7"]).status == 7)
        #expect(try Program.run(nexus + ["--", "sh", "-c", "kill -9 $$"]).status == 137)
        let passwd = try Program.run(nexus + ["--", "cat", "/etc/passwd"])
        #expect(passwd.status == 1 && passwd.errors.contains("No such file"), "\(passwd)")
        let folder = "/tmp/nexus-e2e-bind-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder, 0o777)
        try "hello".write(toFile: "\(folder)/file", atomically: false, encoding: .utf8)
        let shown = try Program.run(nexus + ["--ro-bind", "\(folder):/data", "--", "cat", "/data/file"])
        #expect(shown.output == "hello", "\(shown)")
        let readOnly = try Program.run(
            nexus + ["--ro-bind", "\(folder):/data", "--", "sh", "-c", "echo x > /data/new"])
        #expect(readOnly.status != 0 && readOnly.errors.contains("Read-only file system"), "\(readOnly)")
        let writable = try Program.run(
            nexus + ["--bind", "\(folder):/data", "--", "sh", "-c", "echo x > /data/new"])
        #expect(writable.status == 0, "\(writable)")
        #expect(try Program.run(nexus + ["--bind", "nonsense", "--", "true"]).status == 125)
    }

    /// Node and others make the terminal's description non-blocking for everybody who has it.
    @Test func aSharedDescriptionBlocksAgainAfterwards() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try Built.program("nexus"))
        process.arguments = ["sandbox", "run", "--", "python3", "-c", "import os; os.set_blocking(0, False)"]
        process.standardInput = FileHandle(fileDescriptor: ends[0], closeOnDealloc: false)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(fcntl(ends[0], F_GETFL) & O_NONBLOCK == 0)
    }

    @Test(arguments: Person.available)
    func sandboxRunSaysWhatIsRefusedAndWhatHoldsInPart(person: Person) throws {
        let nexus = person.prefix + [try Built.program("nexus"), "sandbox", "run"]
        let told = try Program.run(nexus + ["--explain", "--", "cat", "/etc/passwd"])
        #expect(told.status == 1)
        #expect(told.errors.contains("nexus: openat /etc/passwd: not in the jail (ENOENT); --ro-bind"), "\(told)")
        let bounded = try Program.run(nexus + ["--memory", "100M", "--", "true"])
        #expect(bounded.errors.contains("nexus: --memory holds in part: ") == (person == .ordinary), "\(bounded)")
    }

    /// What a runtime opens in the place of a closed descriptor would be the program's: the host's own epoll, say.
    @Test(arguments: Person.available)
    func closedStandardDescriptorsLeadNowhere(person: Person) throws {
        let nexus = person.prefix + [try Built.program("nexus"), "sandbox", "run", "--"]
        for (closed, number) in [("<&-", 0), ("2>&-", 2)] {
            let script = "exec \"$@\" \(closed)"
            let outcome = try Program.run(
                ["/bin/sh", "-c", script, "sh"] + nexus + ["readlink", "/proc/self/fd/\(number)"])
            #expect(outcome.output == "/dev/null\n", "\(closed): \(outcome)")
        }
    }

    @Test(arguments: Person.available)
    func sandboxRunTakesWhatItsPeersTake(person: Person) throws {
        let nexus = person.prefix + [try Built.program("nexus"), "sandbox", "run"]
        let script = "test \"$A\" = 1 && test \"$PWD\" = /own && echo x >file && test -z \"$SECRET\""
        let options = ["--tmpfs", "/own", "--chdir", "/own", "--setenv", "A=1", "--memory", "1G", "--pids", "8"]
        let outcome = try Program.run(nexus + options + ["--", "sh", "-c", script], environment: ["SECRET": "s"])
        #expect(outcome.status == 0, "\(outcome)")
        let late = try Program.run(nexus + ["--timeout", "0.3", "--", "sleep", "1000"])
        #expect(late.status == 124, "\(late)")
        let many = try Program.run(nexus + ["--pids", "2", "--", "sh", "-c", "sleep 5 & sleep 5 & sleep 5 & sleep 5"])
        #expect(many.status != 0, "\(many)")
        let network = try Program.run(nexus + ["--allow-net", "example.com", "--json", "--", "true"])
        #expect(network.status == 125 && network.errors.contains("example.com"), "\(network)")
        #expect(try Program.run(nexus + ["--memory", "much", "--", "true"]).status == 125)
    }

    @Test(arguments: Person.available)
    func probeFindsEveryWayOutHeld(person: Person) throws {
        let nexus = person.prefix + [try Built.program("nexus"), "sandbox", "probe"]
        for profile in ["strict", "python"] {
            let outcome = try Program.run(nexus + ["--profile", profile, "--json"])
            let report = try outcome.json()
            #expect(outcome.status == 0 && report["held"]?.boolValue == true, "\(outcome)")
            #expect(report["tried"]?.intValue == report["findings"]?.arrayValue?.count)
        }
        #expect(try Program.run(nexus + ["--profile", "compat"]).status == 1)
        #expect(try Program.run(nexus + ["--profile", "none"]).status == 125)
    }

    @Test(arguments: Person.available)
    func doctorFindsThisMachineReady(person: Person) throws {
        let outcome = try Program.run(person.prefix + [try Built.program("nexus"), "doctor", "--json"])
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try outcome.json()["ready"]?.boolValue == true)
    }
}
