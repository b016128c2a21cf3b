import Foundation
import Glibc
import JSONBytes
import Testing

/// Bytes of an answer that go on as they come: `nexus tool call --stream`, a real host and a jailed plugin.
@Suite(.serialized) struct StreamedToolTests {
    private static let total = 64 << 20

    /// In bytes: the most that a process ever had resident (proc_pid_status(5)).
    private func peak(_ process: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return 1_024 * (try #require(Int(line.filter(\.isNumber))))
    }

    private func outcomes(_ host: TestHost) throws -> [JSONValue] {
        try host.audit().filter { $0["kind"] == "outcome" }
    }

    @Test(arguments: Person.available)
    func aLargeAnswerCostsTheHostNoMemoryOfItsSize(person: Person) throws {
        let host = try TestHost(person)
        try host.install("python")
        let file = "/tmp/nexus-e2e-stream-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        for (count, mayGrow) in [(300_000, Int.max), (Self.total, 16 << 20)] {
            let before = try peak(host.processID)
            let outcome = try host.nexus(
                "tool", "call", "py_stream", "{\"bytes\":\(count)}", "--stream", "--output", file)
            #expect(outcome.output == "{\"sent\": \(count)}\n", "\(outcome)")
            #expect(FileManager.default.contents(atPath: file) == Data(repeating: 0x78, count: count))
            let growth = try peak(host.processID) - before
            print("streamed \(count) bytes: nexusd's peak grew by \(growth) bytes, to \(before + growth)")
            #expect(growth < mayGrow)
            let entry = try outcomes(host).last
            #expect(entry?["outcome"] == "ok" && entry?["bytes"] == JSONValue(count), "\(entry?.text ?? "")")
        }
    }

    @Test(arguments: [true, false])
    func aReaderThatTakesNothingHoldsThePluginBackAndOneThatGoesCancels(isKilled: Bool) throws {
        let host = try TestHost()
        try host.install("python")
        let command = try host.command(
            ["tool", "call", "py_stream", "{\"bytes\":\(Self.total)}", "--stream", "--home", host.home])
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        (process.standardOutput, process.standardError) = (pipe, FileHandle.nullDevice)
        try process.run()
        defer { process.waitUntilExit() }
        // The first bytes are here; as long as nobody takes more, the last ones are not made, however long that is.
        let first = try #require(try pipe.fileHandleForReading.read(upToCount: 1_000))
        #expect(first == Data(repeating: 0x78, count: first.count) && !first.isEmpty)
        sleep(2)
        #expect(try outcomes(host).isEmpty)
        if isKilled { kill(process.processIdentifier, SIGKILL) }
        try pipe.fileHandleForReading.close()
        #expect(try eventually { try !outcomes(host).isEmpty })
        let entry = try outcomes(host).last
        let made = try #require(entry?["bytes"]?.intValue)
        print("held back after \(made) of \(Self.total) bytes: \(entry?["code"]?.stringValue ?? "")")
        #expect(entry?["code"] == "cancelled", "\(entry?.text ?? "")")
        #expect(made > 0 && made < Self.total / 4)
    }

    @Test func anAnswerThatBreaksOffSaysSoBehindItsBytes() throws {
        let host = try TestHost()
        try host.install("python")
        let call = #"{"bytes":3000000,"fails":true}"#
        let broken = try host.nexus("tool", "call", "py_stream", call, "--stream")
        #expect(broken.status == 1 && broken.output.utf8.count == 3_000_000)
        let end = "ValueError: the source ran dry; 3000000 bytes of the answer were written before that\n"
        #expect(broken.errors.hasSuffix(end), "\(broken.errors)")
        let records = try host.nexus("tool", "call", "py_stream", call, "--stream", "--json")
        #expect(try records.lines().allSatisfy { $0["bytes"]?.stringValue?.isEmpty == false } && records.status == 1)
        #expect(try JSONValue(parsing: records.errors)["error"]?["code"] == "plugin-failed")
        let entry = try outcomes(host).last
        #expect(entry?["outcome"] == "error" && entry?["bytes"] == 3_000_000, "\(entry?.text ?? "")")
        let refused = try host.nexus("tool", "call", "py_none", "{}", "--stream")
        #expect(refused.status == 1 && refused.errors.contains("py_none"), "\(refused)")
    }

    @Test func theResultComesBehindTheBytesOnStandardErrorOrAsTheLastRecord() throws {
        let host = try TestHost()
        try host.install("python")
        let plain = try host.nexus("tool", "call", "py_stream", #"{"bytes":5}"#, "--stream")
        #expect(plain.status == 0 && plain.output == "xxxxx" && plain.errors == "{\"sent\": 5}\n", "\(plain)")
        let records = try host.nexus("tool", "call", "py_stream", #"{"bytes":5}"#, "--stream", "--json")
        #expect(try records.lines() == [["bytes": "eHh4eHg="], ["result": ["sent": 5]]], "\(records)")
        let none = try host.nexus("tool", "call", "py_echo", #"{"a":1}"#, "--stream")
        #expect(none.status == 0 && none.output.isEmpty && none.errors == "{\"a\": 1}\n", "\(none)")
    }

    @Test(arguments: ["plain", "base64-after-one", "url"])
    func aSecretInPiecesOfOneByteIsTakenOut(form: String) throws {
        let host = try TestHost()
        try host.install("python")
        let secret = "canary/\(UUID().uuidString)"
        try host.nexus("secret", "set", "python", "canary", "--user", host.person.name, input: secret)
        let said = try host.nexus(
            "tool", "call", "py_leak", "{\"where\":\"pieces\",\"form\":\"\(form)\"}", "--stream")
        #expect(said.status == 0 && said.output.hasPrefix("it is "), "\(said)")
        #expect(said.output.contains("[redacted]") && said.output.hasSuffix(" as said"), "\(said)")
    }
}
