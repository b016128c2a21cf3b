import Dispatch
import JSONBytes
import Synchronization
import Testing

@testable import nexus

/// A client's side of the front: what it writes, and what it has read.
private final class Client: Sendable {
    let input: AsyncStream<[UInt8]>
    private let source: AsyncStream<[UInt8]>.Continuation
    private let read = Mutex<[String]>([])

    init() { (input, source) = AsyncStream.makeStream(of: [UInt8].self) }

    var lines: [String] { read.withLock { $0 } }
    func send(_ text: String) { source.yield(Array(text.utf8)) }
    func close() { source.finish() }

    func write(_ line: [UInt8]) { read.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }

    /// Sends all of it, ends the input, and serves until everything is answered.
    func talk(_ text: String, forward: @escaping StdioFront.Forward) async throws -> [String] {
        send(text)
        close()
        try await StdioFront(forward: forward).run(input: input) { self.write($0) }
        return lines
    }

    func wait(_ condition: @Sendable () -> Bool) async throws {
        for _ in 0..<2_000 where !condition() { try await Task.sleep(for: .milliseconds(2)) }
        #expect(condition())
    }
}

private func ok(_ bytes: [UInt8]) throws -> [UInt8]? {
    guard let id = try JSONValue(parsing: bytes)["id"] else { return nil }
    let reply: JSONValue = ["jsonrpc": "2.0", "id": id, "result": [:]]
    return reply.encoded()
}

private func request(_ id: Int, _ method: String = "ping") -> String {
    "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"\(method)\"}\n"
}

private struct Gone: Error, CustomStringConvertible { var description: String { "connection refused" } }

@Suite struct StdioFrontTests {
    @Test func everyRequestGetsOneLine() async throws {
        let lines = try await Client().talk((1...200).map { request($0) }.joined()) { bytes, _ in try ok(bytes) }
        #expect(Set(lines).count == 200)
        #expect(lines.contains("{\"jsonrpc\":\"2.0\",\"id\":200,\"result\":{}}"))
    }

    @Test func aLastLineWithoutNewlineIsServed() async throws {
        let lines = try await Client().talk(String(request(1).dropLast())) { bytes, _ in try ok(bytes) }
        #expect(lines.count == 1)
    }

    @Test func aLineMayArriveInPieces() async throws {
        let client = Client()
        for byte in request(1).utf8 { client.send(String(UnicodeScalar(byte))) }
        #expect(try await client.talk("\r\n  \n") { bytes, _ in try ok(bytes) }.count == 1)
    }

    @Test func anAnswerOfManyLinesBecomesOne() async throws {
        let lines = try await Client().talk(request(1)) { _, _ in
            Array("{\n \"jsonrpc\": \"2.0\",\r\n \"id\": 1, \"result\": {\"n\": 1.10}\n}\n".utf8)
        }
        #expect(lines == ["{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"n\":1.10}}"])
    }

    @Test func notificationsAreForwardedAndNeverAnswered() async throws {
        let seen = Mutex(0)
        let lines = try await Client().talk("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n") {
            _, _ in
            seen.withLock { $0 += 1 }
            return Array("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":401,\"message\":\"no\"}}".utf8)
        }
        #expect(lines.isEmpty)
        #expect(seen.withLock { $0 } == 1)
    }

    @Test func anErrorWithoutIdReachesTheRequestThatItBelongsTo() async throws {
        let lines = try await Client().talk(request(7)) { _, _ in
            Array("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":401,\"message\":\"no\"}}".utf8)
        }
        #expect(lines == ["{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":401,\"message\":\"no\"}}"])
    }

    @Test(arguments: ["not json", "{\"a\":1,\"a\":2}", "{\"id\":", "\u{1}", String(repeating: "[", count: 100_000)])
    func badJSONIsAnsweredAndTheNextLineServed(_ bad: String) async throws {
        let lines = try await Client().talk(bad + "\n" + request(2)) { bytes, _ in try ok(bytes) }
        #expect(lines.count == 2)
        #expect(lines.contains { $0.contains("-32700") && $0.contains("\"id\":null") })
    }

    @Test func lineLongerThanTheLimitIsRefusedAndTheNextLineServed() async throws {
        let long = String(repeating: "a", count: StdioFront.lineBytes + 1)
        let lines = try await Client().talk(long + "\n" + request(2)) { bytes, _ in try ok(bytes) }
        #expect(lines.count == 2)
        #expect(lines.contains { $0.contains("-32700") && $0.contains("4194304") })
    }

    @Test func aHostThatIsGoneIsNamedWithWhatToDo() async throws {
        let lines = try await Client().talk(request(1)) { _, _ in throw Gone() }
        #expect(lines.count == 1)
        #expect(lines[0].contains("-32603") && lines[0].contains("connection refused") && lines[0].contains("nexus up"))
    }

    @Test(arguments: ["<html>502</html>", "[]", "\"x\"", "{}"])
    func whatIsNoMessageNeverReachesTheClient(_ answer: String) async throws {
        let lines = try await Client().talk(request(1)) { _, _ in Array(answer.utf8) }
        #expect(lines.count == 1)
        #expect(lines[0].contains("-32603") && lines[0].contains("\"id\":1"))
    }

    @Test func aRequestThatTheHostLeavesUnansweredIsAnError() async throws {
        let lines = try await Client().talk(request(1)) { _, _ in nil }
        #expect(lines.count == 1 && lines[0].contains("-32603"))
    }

    @Test func aCancelledRequestIsDroppedAndNotAnswered() async throws {
        let client = Client()
        let started = Mutex(false)
        let ended = Mutex(false)
        let front = StdioFront { bytes, _ in
            guard String(decoding: bytes, as: UTF8.self).contains("slow") else { return try ok(bytes) }
            started.withLock { $0 = true }
            defer { ended.withLock { $0 = true } }
            try await Task.sleep(for: .seconds(60))
            return try ok(bytes)
        }
        let run = Task { try await front.run(input: client.input) { client.write($0) } }
        client.send(request(1, "slow"))
        try await client.wait { started.withLock { $0 } }
        let cancel = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}\n"
        client.send(cancel.replacing("\"requestId\":1", with: "\"requestId\":\"1\""))
        client.send(request(2))
        try await client.wait { client.lines.count == 1 }
        #expect(!ended.withLock { $0 })
        client.send(cancel)
        client.close()
        try await run.value
        #expect(ended.withLock { $0 })
        #expect(client.lines.count == 1)
    }

    @Test func cancellingInTheSameBreathIsNotLost() async throws {
        let cancel = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}\n"
        let lines = try await Client().talk(request(1) + cancel) { bytes, _ in
            try await Task.sleep(for: .seconds(60))
            return try ok(bytes)
        }
        #expect(lines.isEmpty)
    }

    @Test(arguments: ["{}", "{\"requestId\":null}", "{\"requestId\":99}", "[]", "7"])
    func cancellingNothingIsIgnored(_ params: String) async throws {
        let cancel = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":\(params)}\n"
        #expect(try await Client().talk(cancel + request(1)) { bytes, _ in try ok(bytes) }.count == 1)
    }

    @Test func noMoreThanTheLimitIsInFlight() async throws {
        let now = Mutex(0)
        let most = Mutex(0)
        let lines = try await Client().talk((1...300).map { request($0) }.joined()) { bytes, _ in
            let count = now.withLock { value in
                value += 1
                return value
            }
            most.withLock { $0 = max($0, count) }
            try await Task.sleep(for: .milliseconds(5))
            now.withLock { $0 -= 1 }
            return try ok(bytes)
        }
        #expect(lines.count == 300)
        #expect(most.withLock { $0 } <= StdioFront.inFlight)
        #expect(most.withLock { $0 } > 1)
    }

    @Test func notificationsOfARequestComeBeforeItsAnswer() async throws {
        let lines = try await Client().talk(request(1)) { bytes, notify in
            for number in 1...3 { try await notify(Array("note \(number)".utf8)) }
            return try ok(bytes)
        }
        #expect(lines.count == 4)
        #expect(Array(lines.dropLast()) == ["note 1", "note 2", "note 3"])
    }

    @Test func listeningBeginsWithTheHandshakeAndEndsWithTheInput() async throws {
        let client = Client()
        let ended = Mutex(false)
        let front = StdioFront { notify in
            try? await notify(Array("changed".utf8))
            try? await Task.sleep(for: .seconds(60))
            ended.withLock { $0 = true }
        } forward: { bytes, _ in
            try ok(bytes)
        }
        let run = Task { try await front.run(input: client.input) { client.write($0) } }
        client.send(request(1))
        try await client.wait { client.lines.count == 1 }
        for _ in 0..<2 { client.send("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n") }
        try await client.wait { client.lines.contains("changed") }
        client.close()
        try await run.value
        try await client.wait { ended.withLock { $0 } }
        #expect(client.lines.count == 2)
    }

    @Test func aSubscriptionEndsWithTheInput() async throws {
        let lines = try await Client().talk(request(1, "subscriptions/listen")) { bytes, notify in
            try await notify(Array("acknowledged".utf8))
            try await Task.sleep(for: .seconds(600))
            return try ok(bytes)
        }
        #expect(lines == ["acknowledged"] || lines.isEmpty)
    }

    @Test func aClientThatTakesNoNotificationHoldsBackWhoSendsThem() async throws {
        let client = Client()
        let sent = Mutex(0)
        let front = StdioFront { bytes, notify in
            for _ in 0..<100 {
                try await notify(bytes)
                sent.withLock { $0 += 1 }
            }
            return try ok(bytes)
        }
        client.send(request(1))
        let run = Task {
            try await front.run(input: client.input) { _ in
                client.write([])
                try await Task.sleep(for: .seconds(600))
            }
        }
        try await client.wait { client.lines.count == 1 }
        #expect(sent.withLock { $0 } == 0)
        run.cancel()
        await #expect(throws: (any Error).self) { try await run.value }
    }

    @Test func theEndOfInputWaitsForThoseInFlight() async throws {
        let lines = try await Client().talk(request(1)) { bytes, _ in
            try await Task.sleep(for: .milliseconds(100))
            return try ok(bytes)
        }
        #expect(lines.count == 1)
    }

    @Test func aClientThatStopsReadingEndsTheFront() async throws {
        let client = Client()
        client.send((1...100).map { request($0) }.joined())
        let front = StdioFront { bytes, _ in
            if String(decoding: bytes, as: UTF8.self).contains("\"id\":50,") { try await Task.sleep(for: .seconds(60)) }
            return try ok(bytes)
        }
        await #expect(throws: Gone.self) { try await front.run(input: client.input) { _ in throw Gone() } }
    }
}

@Suite struct LineSplitterTests {
    @Test func linesAreTheSameHoweverTheStreamIsCut() {
        let text = Array("one\n\ntwo\r\nthree four five six\nx".utf8)
        var whole = LineSplitter(limit: 10)
        let expected = whole.push(text) + [whole.finish()].compactMap { $0 }
        for size in 1...text.count {
            var splitter = LineSplitter(limit: 10)
            var lines: [LineSplitter.Line] = []
            for start in stride(from: 0, to: text.count, by: size) {
                lines += splitter.push(Array(text[start..<min(start + size, text.count)]))
            }
            lines += [splitter.finish()].compactMap { $0 }
            #expect(lines == expected)
        }
        #expect(expected == [.text(Array("one".utf8)), .text(Array("two\r".utf8)), .tooLong, .text([0x78])])
    }
}

@Suite struct PacedInputTests {
    @Test func nothingIsReadBeforeItIsWanted() async throws {
        let reads = Mutex(0)
        let input = PacedInput {
            reads.withLock { $0 += 1 }
            return [1]
        }
        var iterator = input.makeAsyncIterator()
        for _ in 0..<3 { #expect(await iterator.next() == [1]) }
        try await Task.sleep(for: .milliseconds(50))
        #expect(reads.withLock { $0 } == 3)
    }

    @Test func theEndOfTheSourceIsTheEndOfTheSequence() async {
        let rest = Mutex<[[UInt8]]>([[1], [2, 3]])
        let input = PacedInput { rest.withLock { $0.isEmpty ? [] : $0.removeFirst() } }
        var bytes: [UInt8] = []
        for await piece in input { bytes += piece }
        #expect(bytes == [1, 2, 3])
    }

    @Test func aClientThatIsGoneEndsTheFrontAlsoWhileTheSourceIsBlocked() async {
        let line = Mutex<[UInt8]>(Array(request(1).utf8))
        let never = DispatchSemaphore(value: 0)
        let input = PacedInput {
            let bytes = line.withLock { bytes in
                defer { bytes = [] }
                return bytes
            }
            if bytes.isEmpty { never.wait() }
            return bytes
        }
        await #expect(throws: Gone.self) {
            try await StdioFront { bytes, _ in try ok(bytes) }.run(input: input) { _ in throw Gone() }
        }
        never.signal()
    }
}
