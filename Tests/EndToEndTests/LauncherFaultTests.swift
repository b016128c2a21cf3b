import Foundation
import JSONBytes
import Synchronization
import Testing

/// nexus-jail dies while agents call: every jail dies with it, each loss is on record, every caller is answered once,
/// and the next calls are served.
@Suite(.serialized) struct LauncherFaultTests {
    /// Agents that call until they are told, and what became of each call.
    private final class Load: Sendable {
        struct Counts {
            var served = 0
            /// Answered with an error.
            var failed: [String] = []
            /// No answer, more than one, or something else.
            var wrong: [String] = []
        }
        private let counts = Mutex(Counts())
        private let isOver = Mutex(false)
        private let running = DispatchGroup()

        init(_ host: TestHost, agents: Int) throws {
            let (port, token) = (host.port, try host.firstToken())
            for agent in 0..<agents {
                running.enter()
                Thread.detachNewThread { [self] in
                    var number = agent * 1_000_000
                    while !isOver.withLock({ $0 }) {
                        number += 1
                        call(number, port, token)
                    }
                    running.leave()
                }
            }
        }

        private func call(_ number: Int, _ port: Int, _ token: String) {
            let milliseconds = number % 5 == 0 ? 20 : 0
            let body = #"""
                {"jsonrpc":"2.0","id":\#(number),"method":"tools/call",\#
                "params":{"name":"sleep","arguments":{"ms":\#(milliseconds)}}}
                """#
            let answer = try? RawHTTP.mcp(port: port, token: token, body: body)
            let text = answer?.text ?? ""
            let answers =
                text.components(separatedBy: "\"id\":\(number),").count - 1
                + text.components(separatedBy: "\"id\":\(number)}").count - 1
            counts.withLock { counts in
                if answer?.status != 200 || answers != 1 {
                    counts.wrong.append(text)
                } else if text.contains("\"isError\":true") || text.contains("\"error\":{") {
                    counts.failed.append(text)
                } else {
                    counts.served += 1
                }
            }
        }

        var now: Counts { counts.withLock { $0 } }

        func stop() -> Counts {
            isOver.withLock { $0 = true }
            running.wait()
            return now
        }
    }

    @Test(arguments: Person.available)
    func underLoadEveryCallerIsAnsweredOnceAndEveryLossIsOnRecord(person: Person) throws {
        let host = try TestHost(person)
        try host.install("echo")
        try host.install("crypto-bot")
        try host.nexus("plugin", "start", "crypto-bot")
        #expect(try host.call("echo").status == 0)
        let before = try host.holdings()
        let load = try Load(host, agents: 6)
        let deaths = 3
        for _ in 0..<deaths {
            let served = load.now.served
            #expect(eventually(within: 30) { load.now.served >= served + 20 })
            let launcher = try #require(try host.nexus("status", "--json").json()["launcherID"]?.intValue)
            kill(Int32(launcher), SIGKILL)
            let next = eventually {
                let now = try? host.nexus("status", "--json").json()["launcherID"]?.intValue
                return now.flatMap { $0 } ?? launcher != launcher
            }
            #expect(next)
        }
        let served = load.now.served
        #expect(eventually(within: 30) { load.now.served >= served + 20 })
        let counts = load.stop()
        print("nexus-jail killed \(deaths) times: \(counts.served) calls served, \(counts.failed.count) failed")
        #expect(counts.wrong.isEmpty, "\(counts.wrong.first ?? "")")
        #expect(!counts.failed.isEmpty)

        // All that is wanted runs again before the log is read: nothing starts between the two.
        #expect(eventually { (try? host.state(of: "crypto-bot")["state"]?.stringValue) == "running" })
        #expect(eventually { (try? host.state(of: "echo")["state"]?.stringValue) == "running" })
        let log = try String(contentsOfFile: "\(host.home)/audit/log.jsonl", encoding: .utf8)
        let entries = try log.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        func all(_ kind: String, _ event: String? = nil) -> [JSONValue] {
            entries.filter { $0["kind"]?.stringValue == kind && (event == nil || $0["event"]?.stringValue == event) }
        }
        // Each call that was made has one outcome.
        let intents = all("call").compactMap { $0["seq"]?.intValue }
        let outcomes = all("outcome").compactMap { $0["intent"]?.intValue }
        #expect(outcomes.sorted() == intents.sorted() && intents.count > counts.served)
        // Each process that was started runs still, or its loss is an incident: one.
        let list =
            try host.nexus("plugin", "incidents", "--limit", "1000", "--json").json()["incidents"]?.arrayValue ?? []
        #expect(list.count { $0["plugin"] == .null } == deaths)
        let lost = list.compactMap { $0["instance"]?.stringValue }
        #expect(lost.count == Set(lost).count)
        let alive = try ["echo", "crypto-bot"].compactMap { try host.state(of: $0)["instance"]?.stringValue }
        let started = Set(all("plugin", "started").compactMap { $0["instance"]?.stringValue })
        #expect(started.subtracting(lost) == Set(alive), "\(started) \(lost) \(alive)")
        #expect(started.count > 2 * deaths)
        // None of it counts against a plugin, and nothing is left over.
        #expect(try host.state(of: "echo")["failures"]?.intValue == 0)
        var after = before
        let isClean = try eventually(within: 20) {
            after = try host.holdings()
            return after.isNoMore(than: before)
        }
        #expect(isClean, "before: \(before), after: \(after)")
    }
}
