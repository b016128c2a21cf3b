import Foundation
import JSONBytes
import Testing

/// Clients that are slow, rude or gone.
@Suite(.serialized) struct ConnectionTests {
    /// How many come and vanish; each in one of five ways.
    static let vanishing = 2_000

    @Test func clientsThatVanishLeaveNothingBehind() throws {
        let host = try TestHost()
        try host.install("echo")
        #expect(try host.call("echo").status == 0)
        let token = try host.firstToken()
        // What is allocated once is allocated now.
        for index in 0..<200 { try vanish(index, host, token) }
        #expect(eventually(within: 30) { host.openDescriptors < 100 })
        let (descriptors, kilobytes) = (host.openDescriptors, host.residentKilobytes)
        for index in 0..<Self.vanishing { try vanish(index, host, token) }
        #expect(eventually(within: 60) { host.openDescriptors <= descriptors }, "\(host.openDescriptors)")
        #expect(try host.call("echo", #"{"still":"here"}"#).output == "{\"still\":\"here\"}\n")
        #expect(try RawHTTP.mcp(port: host.port, token: token, body: RawHTTP.initialize).status == 200)
        let isQuiet = try eventually(within: 30) {
            let entries = try host.audit(count: 10_000)
            return entries.count { $0["kind"] == "call" } == entries.count { $0["kind"] == "outcome" }
        }
        #expect(isQuiet, "a call has no outcome")
        let growth = host.residentKilobytes - kilobytes
        print("\(Self.vanishing) clients vanished: descriptors \(descriptors) → \(host.openDescriptors), +\(growth) kB")
        #expect(growth < 32 << 10, "\(growth) kB")
    }

    private func vanish(_ index: Int, _ host: TestHost, _ token: String) throws {
        let connection = try RawConnection(port: host.port)
        let head = [
            "POST /mcp HTTP/1.1", "Host: 127.0.0.1:\(host.port)", "Authorization: Bearer \(token)",
            "Content-Type: application/json", "Accept: application/json, text/event-stream",
        ]
        let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sleep","arguments":{"ms":60000}}}"#
        switch index % 5 {
        case 0: break
        case 1: connection.send("POST /mcp HTTP/1.1\r\nHost: 127")
        case 2: connection.send(head + ["Content-Length: 1000"], body: "{\"jsonrpc\"")
        case 3: connection.send(head + ["Content-Length: \(call.utf8.count)"], body: call)
        default:
            connection.send(AgentStreamTests.stream(host, token), body: "")
            _ = connection.read(until: "\r\n\r\n")
        }
        connection.drop(reset: index % 2 == 0)
    }

    /// What came is a whole call each time, but not the whole request.
    @Test func halfARequestRunsNothing() throws {
        let host = try TestHost()
        try host.install("echo")
        let head = [
            "POST /mcp HTTP/1.1", "Host: 127.0.0.1:\(host.port)", "Authorization: Bearer \(try host.firstToken())",
            "Content-Type: application/json", "Accept: application/json, text/event-stream",
        ]
        let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"half":1}}}"#
        let size = String(call.utf8.count, radix: 16)
        #expect(try RawHTTP.mcp(port: host.port, token: try host.firstToken(), body: RawHTTP.initialize).status == 200)
        let before = host.openDescriptors
        for index in 0..<40 {
            let connection = try RawConnection(port: host.port)
            if index % 4 < 2 {
                connection.send(head + ["Content-Length: \(call.utf8.count + 1)"], body: call)
            } else {
                connection.send(head + ["Transfer-Encoding: chunked"], body: "\(size)\r\n\(call)\r\n")
            }
            connection.drop(reset: index % 2 == 0)
        }
        #expect(eventually(within: 60) { host.openDescriptors <= before }, "\(host.openDescriptors)")
        #expect(try host.call("echo", #"{"whole":1}"#).status == 0)
        let calls = try host.audit().filter { ["call", "refused"].contains($0["kind"]?.stringValue) }
        #expect(calls.count == 1, "\(calls.map(\.text))")
    }

    @Test func aRequestThatStopsOrDripsIsGivenUp() throws {
        let host = try TestHost()
        let token = try host.firstToken()
        let head = [
            "POST /mcp HTTP/1.1", "Host: 127.0.0.1:\(host.port)", "Authorization: Bearer \(token)",
            "Content-Type: application/json", "Content-Length: 1000",
        ]
        let halfHead = try RawConnection(port: host.port)
        halfHead.send("POST /mcp HTTP/1.1\r\nHost: 127")
        let halfBody = try RawConnection(port: host.port)
        halfBody.send(head, body: "{")
        let dripping = try RawConnection(port: host.port)
        dripping.send(head, body: "{")
        let silent = try RawConnection(port: host.port)
        // As long as it takes, and never more than the body has bytes.
        for _ in 0..<60 where dripping.send(" ") { usleep(1_000_000) }
        #expect(dripping.read().contains("408"))
        #expect(halfHead.read().isEmpty)
        #expect(halfBody.read().isEmpty)
        #expect(silent.read().isEmpty)
        #expect(try RawHTTP.mcp(port: host.port, token: token, body: RawHTTP.initialize).status == 200)
    }

    @Test func aRequestWithTwoHostsIsRefused() throws {
        let host = try TestHost()
        let name = "127.0.0.1:\(host.port)"
        for second in [name, "evil.example", ""] {
            let answer = try RawHTTP.send(
                port: host.port,
                [
                    "POST /mcp HTTP/1.1", "Host: \(name)", "Host: \(second)",
                    "Authorization: Bearer \(try host.firstToken())",
                ])
            #expect(answer.status == 400 && answer.text.contains("more than once"), "\(answer)")
        }
    }
}

extension TestHost {
    /// Without the database's: it opens a reader when one is first needed, up to its own bound, and keeps it.
    var openDescriptors: Int {
        let folder = "/proc/\(processID)/fd"
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return all.count {
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            return target?.contains("nexus.sqlite") != true
        }
    }

    var residentKilobytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
    }
}
