import Foundation
import JSONBytes
import Testing

/// The hostile program as a real plugin, behind the real host: nothing that it tries succeeds, and the host goes on.
@Suite(.serialized) struct HostilePluginTests {
    static let attempts = [
        "read-etc-passwd", "read-host-home", "read-proc1-environ", "write-outside-tmp", "directory-escape",
        "inet-socket", "netlink-socket", "vsock-socket", "abstract-unix-socket", "ptrace", "process-vm-readv",
        "new-user-namespace", "mount", "fork-bomb", "io-uring", "ia32-call", "terminal-injection", "keyctl",
        "userfaultfd", "memory-heap", "memory-memfd", "second-exec", "written-code",
    ]

    @Test(arguments: Person.available)
    func noAttemptOfAHostilePluginSucceeds(person: Person) throws {
        let host = try TestHost(person)
        try host.install("hostile")
        try host.install("echo")
        for attempt in Self.attempts {
            let argument = ["read-host-home": host.home, "write-outside-tmp": "/nexus-e2e"][attempt] ?? "nexus-e2e"
            let outcome = try host.call("attempt", #"{"attempt":"\#(attempt)","argument":"\#(argument)"}"#)
            // Killed by the filter, the plugin dies with its call; the next call finds a new one.
            let stopped: String
            if outcome.status == 0 {
                let report = try outcome.json()
                #expect(["refused", "killed"].contains(report["outcome"]?.stringValue ?? ""), "\(attempt): \(outcome)")
                stopped = report["error"]?.stringValue ?? report["signalName"]?.stringValue ?? ""
            } else {
                let failure = try JSONValue(parsing: outcome.errors)["error"]?["message"]?.stringValue ?? ""
                #expect(failure.contains("killed"), "\(attempt): \(outcome)")
                stopped = failure
            }
            print("contained [\(person.rawValue), through the host] \(attempt): \(stopped)")
        }
        #expect(try host.call("echo", #"{"a":1}"#).output == "{\"a\":1}\n")
    }

    @Test(arguments: Person.available)
    func aRefusedSystemCallIsExplainedInThePluginsLogAndInTheAuditLogOfItsCall(person: Person) throws {
        let host = try TestHost(person)
        try host.install("hostile")
        _ = try host.call("attempt", #"{"attempt":"vsock-socket","argument":""}"#).json()
        let denial = try #require(try host.audit().last { $0["kind"]?.stringValue == "denied" })
        #expect(denial["service"] == "system call" && denial["tool"] == "attempt")
        #expect(denial["what"] == "the system call socket(AF_VSOCK, SOCK_STREAM)")
        #expect(denial["rule"] == "system call profile strict")
        #expect(denial["reason"]?.stringValue?.isEmpty == false && denial["advice"]?.stringValue?.isEmpty == false)
        let call = try #require(try host.audit().last { $0["kind"]?.stringValue == "call" })
        #expect(denial["request"] == call["request"] && call["request"]?.stringValue?.isEmpty == false)
        let log = try host.nexus("plugin", "logs", "hostile").output
        #expect(log.contains("denied the system call socket(AF_VSOCK, SOCK_STREAM) by system call profile strict"))
    }
}
