import JSONBytes
import PluginABI
import PluginSDKTesting
import Testing

@testable import PluginSDK

@Suite(.timeLimit(.minutes(1))) struct AsyncToolTests {
    private struct Wait: ToolArguments {
        @Argument("Milliseconds") var time: Int
        init() {}
    }

    /// Two tasks that can only end together.
    private actor Meeting {
        private var waiting: [CheckedContinuation<Void, Never>] = []
        func meet(_ count: Int) async {
            if waiting.count + 1 == count {
                waiting.forEach { $0.resume() }
                waiting = []
            } else {
                await withCheckedContinuation { waiting.append($0) }
            }
        }
    }

    private func harness(
        services: HarnessServices = HarnessServices(),
        _ handler: @escaping @Sendable (ToolCall) async throws -> ToolResult
    ) async throws -> PluginHarness {
        let plugin = Plugin(name: "sample")
        plugin.asyncTool("act", handler: handler)
        plugin.tool("sync") { _ in .json(["sync": true]) }
        return try await PluginHarness(plugin, services: services)
    }

    @Test func severalCallsRunAtOnce() async throws {
        let meeting = Meeting()
        let harness = try await harness { _ in
            await meeting.meet(3)
            return .json(["met": true])
        }
        async let first = harness.call("act")
        async let second = harness.call("act")
        async let third = harness.call("act")
        #expect(await [first.value, second.value, third.value] == [["met": true], ["met": true], ["met": true]])
        try await harness.stop()
    }

    @Test func waitingToolsLiveBesideAsynchronousOnes() async throws {
        let harness = try await harness { _ in
            try await Task.sleep(for: .seconds(30))
            return .json([:])
        }
        async let slow = harness.call("act", milliseconds: 1_500)
        #expect(await harness.call("sync").value == ["sync": true])
        #expect(await slow.error?.code == .deadlineExceeded)
        try await harness.stop()
    }

    @Test func cancellingByTheHostCancelsTheTask() async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let harness = try await harness { _ in
            begin.yield()
            try await Task.sleep(for: .seconds(30))
            return .json([:])
        }
        let answer = Task { await harness.call("act") }
        for await _ in begun { break }
        answer.cancel()
        #expect(await answer.value.ending == .cancelled)
        try await harness.stop()
    }

    @Test func handlerThatIgnoresItsDeadlineIsAnsweredForAndItsEndIsDropped() async throws {
        let harness = try await harness { call in
            while !Task.isCancelled { await Task.yield() }
            return .json(["too": "late"])
        }
        let answer = await harness.call("act", milliseconds: 100)
        #expect(answer.error?.code == .deadlineExceeded)
        #expect(await harness.call("sync").value == ["sync": true])
        try await harness.stop()
    }

    @Test func stopEndsWhatWouldOutlastIt() async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let harness = try await harness { _ in
            begin.yield()
            try await Task.sleep(for: .seconds(600))
            return .json([:])
        }
        async let answer = harness.call("act", milliseconds: 600_000)
        for await _ in begun { break }
        try await harness.stop(milliseconds: 400)
        #expect(await answer.error?.code == .unavailable)
        #expect(await answer.error?.retryable == true)
    }

    @Test func callsToServicesWaitWithoutAThread() async throws {
        let services = HarnessServices(
            http: { request in
                #expect(request.headers == ["X-Key": "Bearer s3cret"])
                return HTTPResponse(status: 201, headers: ["a": "b"], body: request.body)
            }, store: ["k": [1]])
        let harness = try await harness(services: services) { call in
            let header = HTTPRequest.HeaderValue.credential("key", after: "Bearer ")
            let response = try await call.http(
                HTTPRequest(endpoint: "e", method: "POST", path: "/", headers: [("X-Key", header)], body: [5]))
            let stored = try await call.store(.get("k"))
            return .json(["status": JSONValue(response.status), "stored": JSONValue(stored?.count ?? 0)])
        }
        let answer = await harness.call("act", credentials: ["key": "s3cret"])
        #expect(answer.value == ["status": 201, "stored": 1])
        try await harness.stop()
    }

    @Test func manyRequestsOfOneCallAreAnsweredEachToItsOwn() async throws {
        let services = HarnessServices(http: { HTTPResponse(status: 200, body: Array($0.path.utf8)) })
        let harness = try await harness(services: services) { call in
            let bodies = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
                for number in 0..<20 {
                    group.addTask { (number, try await call.http(HTTPRequest(endpoint: "e", path: "/\(number)")).body) }
                }
                return try await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
            }
            return .json(.bool(bodies.allSatisfy { $0.value == Array("/\($0.key)".utf8) } && bodies.count == 20))
        }
        #expect(await harness.call("act").value == true)
        try await harness.stop()
    }

    @Test func dataWaitsForCreditAndArrivesWhole() async throws {
        let harness = try await harness { call in
            for piece in 0..<10 {
                try await call.send([UInt8](repeating: UInt8(piece), count: 100_000))
                call.progress(UInt64(piece + 1), of: 10)
            }
            return ToolResult(["sent": 1_000_000], bytes: [99])
        }
        let answer = await harness.call("act")
        #expect(answer.bytes.count == 1_000_001)
        #expect(answer.bytes[950_000] == 9)
        #expect(answer.bytes.last == 99)
        #expect(answer.progress.map(\.done) == Array(1...10))
        try await harness.stop()
    }

    @Test func stopEndsTheWaitForCredit() async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let harness = try await harness { call in
            try await call.send([UInt8](repeating: 0, count: 262_144))
            begin.yield()
            try await call.send([1])
            return .json([:])
        }
        async let answer = harness.call("act", milliseconds: 600_000, credit: 0)
        for await _ in begun { break }
        try await harness.stop(milliseconds: 200)
        #expect(await answer.error?.code == .unavailable)
        #expect(await answer.bytes.count == 262_144)
    }

    @Test func typedArgumentsAreCheckedBeforeTheTaskDoesAnything() async throws {
        let plugin = Plugin(name: "sample")
        plugin.asyncTool("act") { (wait: Wait, _) in ["time": JSONValue(wait.time)] }
        let harness = try await PluginHarness(plugin)
        #expect(await harness.call("act", ["time": 5]).value == ["time": 5])
        #expect(await harness.call("act", ["time": "x"]).error?.code == .invalidArguments)
        try await harness.stop()
    }

    @Test func credentialIsEmptyForATaskThatOutlivesItsCall() async throws {
        let (counts, report) = AsyncStream.makeStream(of: Int.self)
        let harness = try await harness { call in
            let secret = try call.credential("key")
            report.yield(secret.count)
            // What ends the call from outside ends its credentials, whatever the task still holds.
            while secret.count > 0, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
            report.yield(secret.count)
            return .json([:])
        }
        async let answer = harness.call("act", credentials: ["key": "s3cret"], milliseconds: 600_000)
        var seen = counts.makeAsyncIterator()
        #expect(await seen.next() == 6)
        try await harness.stop(milliseconds: 200)
        #expect(await seen.next() == 0)
        #expect(await answer.error?.code == .unavailable)
    }

    @Test func waitingFormsAreRefusedOffTheSessionsThread() async throws {
        let harness = try await harness { call in
            let wait: () throws -> Void = { _ = try call.store(.get("k")) }
            try wait()
            return .json([:])
        }
        let error = await harness.call("act").error
        #expect(error?.code == .internalError)
        #expect(error?.message.contains("await") == true)
        try await harness.stop()
    }
}
