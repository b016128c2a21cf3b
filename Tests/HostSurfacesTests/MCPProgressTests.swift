import JSONBytes
import PluginABI
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct MCPProgressTests {
    private typealias Pace = ProgressPace<String>
    private let start = ContinuousClock.now

    private func progress(_ done: UInt64) -> CallProgress {
        CallProgress(PluginABI.Message.Progress(done: done), redactor: Redactor())
    }

    private func shown(_ step: Pace.Step) -> String {
        switch step {
        case .progress(let progress): "progress \(progress.done)"
        case .answer(let answer): answer
        case .wait(let until): until.map { "wait \(($0 - start) / .milliseconds(1))" } ?? "wait"
        case .over: "over"
        }
    }

    @Test func progressIsSparseAndTheLastOneComesBeforeTheAnswer() {
        var pace = Pace()
        #expect(shown(pace.next(now: start)) == "wait")
        let isFirst = pace.offer(progress(1))
        #expect(shown(pace.next(now: start)) == "progress 1")
        let isNews = pace.offer(progress(2))
        let isMore = pace.offer(progress(3))
        #expect(isFirst && isNews && !isMore)
        #expect(shown(pace.next(now: start + .milliseconds(49))) == "wait 50.0")
        #expect(shown(pace.next(now: start + .milliseconds(50))) == "progress 3")
        _ = pace.offer(progress(4))
        pace.end(with: "answer")
        #expect(shown(pace.next(now: start + .milliseconds(51))) == "progress 4")
        #expect(shown(pace.next(now: start + .milliseconds(51))) == "answer")
        #expect(shown(pace.next(now: start + .milliseconds(51))) == "over")
    }

    @Test func whatRepeatsOrFallsIsNotSent() {
        var pace = Pace()
        _ = pace.offer(progress(5))
        for done in [5, 4, 0] as [UInt64] {
            let isTaken = pace.offer(progress(done))
            #expect(!isTaken)
        }
        #expect(shown(pace.next(now: start)) == "progress 5")
        let isTaken = pace.offer(progress(5))
        #expect(!isTaken)
        #expect(shown(pace.next(now: start + .seconds(1))) == "wait")
    }

    @Test func nothingIsSaidOnceTheAnswerIsThere() {
        var pace = Pace()
        pace.end(with: "answer")
        let isTaken = pace.offer(progress(1))
        #expect(!isTaken)
        #expect(pace.silentAnswer == "answer")
        #expect(shown(pace.next(now: start)) == "answer")
    }

    private func call(token: JSONValue?, accept: String?, stateless: Bool) -> Message {
        var message = Message.call("zebra", stateless: stateless)
        if let token {
            var meta = message.meta ?? JSONObject()
            meta["progressToken"] = token
            message.meta = meta
        }
        message.set("accept", accept)
        return message
    }

    private static let talkative = FakeToolHost(answer: { request in
        for done in 1...3 {
            request.progress?(
                CallProgress(
                    PluginABI.Message.Progress(done: UInt64(done), total: 3, message: "row"), redactor: Redactor()))
        }
        return "{}"
    })

    @Test(arguments: [true, false])
    func anAgentWithATokenIsToldAndTheAnswerIsTheLastEvent(stateless: Bool) async throws {
        let message = call(token: "t-1", accept: "application/json, text/event-stream", stateless: stateless)
        let response = await MCPEndpoint(host: Self.talkative, version: "1").respond(to: message.request)
        #expect(response.status == 200)
        #expect(response.headers.contains { $0 == ("Content-Type", "text/event-stream") })
        let events = try await response.events()
        #expect(events.dropLast().allSatisfy { $0["method"] == "notifications/progress" })
        let last = events.dropLast().last?["params"]
        #expect(last == ["progressToken": "t-1", "progress": 3, "total": 3, "message": "row"])
        #expect(events.last?["id"] == 1)
        #expect(events.last?["result"]?["isError"] == false)
    }

    @Test(
        arguments: [
            (nil, "application/json, text/event-stream"), (7, "application/json"), (7, nil), (7, "text/event-stream-x"),
        ] as [(JSONValue?, String?)])
    func withoutATokenOrAReaderOfEventsTheAnswerIsPlain(token: JSONValue?, accept: String?) async throws {
        let reply = try await Self.talkative.reply(to: call(token: token, accept: accept, stateless: true))
        #expect(reply.status == 200)
        #expect(reply.header("content-type") == "application/json")
        #expect(reply.result?["isError"] == false)
    }

    @Test(arguments: ["true", "1.5", "null", "[1]", "{}", "\"\(String(repeating: "x", count: 257))\""])
    func aTokenThatIsNoneIsRefused(text: String) async throws {
        let token = try JSONValue(parsing: text)
        let host = FakeToolHost()
        let reply = try await host.reply(to: call(token: token, accept: "text/event-stream", stateless: true))
        #expect(reply.status == 400 && reply.code == -32602)
        #expect(host.calls.isEmpty)
    }

    @Test func aCallThatTellsNothingHasAPlainAnswerWithItsStatus() async throws {
        var message = call(token: 1, accept: "text/event-stream", stateless: true)
        #expect(try await FakeToolHost().reply(to: message).header("content-type") == "application/json")
        message.params?["name"] = "nothing"
        message.set("mcp-name", "nothing")
        #expect(try await FakeToolHost().reply(to: message).status == 400)
    }
}
