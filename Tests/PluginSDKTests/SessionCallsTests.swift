import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

@Suite struct SessionCallsTests {
    private struct Mishap: Error {}

    /// Runs a plugin with one tool through its whole life.
    private func serve(
        _ calls: [(stream: UInt64, call: Message.Call)],
        answer: @escaping (Message, UInt64, FakeHost) -> Void = { _, _, _ in }, handler: @escaping Plugin.ToolHandler
    ) throws -> FakeHost {
        let plugin = Plugin(name: "sample")
        plugin.tool("act", handler: handler)
        let host = FakeHost.wholeLife(calls: calls, answer: answer)
        try Session(plugin: plugin, link: host).run()
        return host
    }

    @Test func resultTravelsOnTheStreamOfItsCall() throws {
        let host = try serve([(7, .test("act", ["symbol": "BTCUSDT"]))]) { call in
            .json(["echo": call.arguments["symbol"] ?? .null, "request": .string(call.requestID)])
        }
        #expect(host.result(of: 7) == ["echo": "BTCUSDT", "request": "request-1"])
    }

    @Test func unknownToolIsAnErrorThatNamesTheKnownOnes() throws {
        let host = try serve([(1, .test("wish"))]) { _ in .json([:]) }
        #expect(host.error(of: 1)?.code == .unknownTool)
        #expect(host.error(of: 1)?.message == "sample has no tool \"wish\"; it has: act")
    }

    @Test func thrownToolErrorKeepsItsCodeAndRetryability() throws {
        let host = try serve([(1, .test("act"))]) { _ in throw ToolError("rate-limited", "wait", retryable: true) }
        guard case .error(let error, let retryable) = host.ending(of: 1) else {
            Issue.record("no error frame")
            return
        }
        #expect(error == ABIError(ABIError.Code("rate-limited"), "wait"))
        #expect(retryable)
    }

    @Test func anyOtherErrorBecomesPluginFailedAndTheNextCallIsServed() throws {
        var count = 0
        let host = try serve([(1, .test("act")), (3, .test("act"))]) { _ in
            count += 1
            if count == 1 { throw Mishap() }
            return .json([:])
        }
        #expect(host.error(of: 1)?.code == .pluginFailed)
        #expect(host.ending(of: 3)?.kind == .result)
    }

    private struct Quote: Error { var text: String }

    @Test(arguments: ["s3cret-key", "a \"quoted\" \\ key\nof two lines"])
    func credentialInAnErrorARecordOrProgressIsReplacedByItsName(secret: String) throws {
        let credentials = [Credential.test("api_key", secret), Credential.test("pin", "404")]
        let host = try serve(
            [(1, .test("act", credentials: credentials)), (3, .test("act", ["own": true], credentials: credentials))]
        ) { call in
            let text = try call.credential("api_key").withBytes { bytes in
                // A handler that reads a credential may log meanwhile.
                call.log(.info, "uses \(String(decoding: bytes, as: UTF8.self)), 404")
                return String(decoding: bytes, as: UTF8.self)
            }
            call.progress(1, of: 2, "with \(text)")
            if call.arguments["own"] == true { throw ToolError("sample.denied", "\(text) was denied: \(text)") }
            throw Quote(text: "no \(text)")
        }
        var told: [String] = []
        for frame in host.received {
            switch frame.message {
            case .log(let record): told.append(record.message)
            case .progress(let progress): told.append(progress.message ?? "")
            case .error(let error, _): told.append(error.message)
            default: break
            }
        }
        let quote = "the tool failed: Quote(text: \"no <credential api_key>\")"
        let own = "<credential api_key> was denied: <credential api_key>"
        // A pin is too short to be found without finding what is none.
        let record = "uses <credential api_key>, 404"
        #expect(told == [record, "with <credential api_key>", quote, record, "with <credential api_key>", own])
    }

    @Test func resultThatDoesNotFitItsSchemaIsAnErrorThatNamesTheRequirement() throws {
        let plugin = Plugin(name: "sample")
        let schema: JSONValue = [
            "type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"],
        ]
        plugin.tool("act", options: ToolOptions(outputSchema: schema)) { call in .json(call.arguments) }
        let host = FakeHost.wholeLife(calls: [
            (1, .test("act", ["n": 1])), (3, .test("act", ["n": "one"])), (5, .test("act", [:])),
        ])
        try Session(plugin: plugin, link: host).run()
        #expect(host.result(of: 1) == ["n": 1])
        for stream: UInt64 in [3, 5] {
            #expect(host.error(of: stream)?.code == .pluginFailed)
            #expect(host.error(of: stream)?.message.contains("does not fit the outputSchema (MAN-6.3): ") == true)
        }
        #expect(host.error(of: 3)?.message.contains("/n: must be integer, found string") == true)
    }

    @Test func errorLongerThanTheABIAllowsIsCut() throws {
        let host = try serve([(1, .test("act"))]) { _ in
            throw ToolError("long", String(repeating: "é", count: ABILimits.textBytes))
        }
        #expect(host.error(of: 1)?.message.hasSuffix("é…") == true)
    }

    @Test func callPastItsDeadlineIsNotStarted() throws {
        var ran = false
        let host = try serve([(1, .test("act", deadline: 1))]) { _ in
            ran = true
            return .json([:])
        }
        #expect(host.error(of: 1)?.code == .deadlineExceeded)
        #expect(!ran)
    }

    @Test func resultLargerThanTheHostTakesIsAnErrorInstead() throws {
        let host = try serve([(1, .test("act"))]) { _ in
            .json(.string(String(repeating: "x", count: 1 << 20)))
        }
        #expect(host.error(of: 1)?.code == .pluginFailed)
    }

    @Test func logLinesTravelOnTheStreamOfTheirCall() throws {
        let host = try serve([(1, .test("act"))]) { call in
            call.log(.warning, "careful")
            return .json([:])
        }
        let logs = host.received.filter { $0.message.kind == .log }
        #expect(logs.map(\.stream) == [1])
        guard case .log(let record) = logs.first?.message else { return }
        #expect(record == Message.LogRecord(level: .warning, message: "careful"))
    }

    // MARK: calls of the plugin to the host

    @Test func hostCallsUseEvenStreamsAndNameTheirParent() throws {
        let host = try serve(
            [(5, .test("act"))],
            answer: { message, stream, host in
                guard case .hostCall(let call) = message else { return }
                #expect(call.parent == 5)
                host.put(.result(Message.Payload(["stream": JSONValue(Int(stream))])), stream: stream)
            }
        ) { call in
            let first = try call.callHost("kv.get", Message.Payload([:]))
            let second = try call.callHost("kv.get", Message.Payload([:]))
            return .json([try JSONValue(parsing: first.json), try JSONValue(parsing: second.json)])
        }
        #expect(host.result(of: 5) == [["stream": 2], ["stream": 4]])
    }

    @Test func errorOfTheHostReachesTheHandlerAsItIs() throws {
        let host = try serve(
            [(1, .test("act"))],
            answer: { message, stream, host in
                guard message.kind == .hostCall else { return }
                host.put(.error(ABIError(.permissionDenied, "no rule for /sapi/"), retryable: false), stream: stream)
            }
        ) { call in
            _ = try call.http(HTTPRequest(endpoint: "exchange", path: "/sapi/"))
            return .json([:])
        }
        #expect(host.error(of: 1) == ABIError(.permissionDenied, "no rule for /sapi/"))
    }

    @Test func pingIsAnsweredAndCallsQueueUpWhileAHandlerWaits() throws {
        let host = try serve(
            [(1, .test("act"))],
            answer: { message, stream, host in
                guard message.kind == .hostCall, stream == 2 else { return }
                host.put(.ping(nonce: 9))
                host.put(.call(.test("act")), stream: 3)
                host.put(.result(Message.Payload([:])), stream: 2)
            }
        ) { call in
            _ = try? call.callHost("wait", Message.Payload([:]))
            return .json([:])
        }
        let order = host.received.filter { [.pong, .result].contains($0.message.kind) }
        #expect(order.map(\.message.kind) == [.pong, .result, .result])
        #expect(order.map(\.stream) == [0, 1, 3])
    }

    @Test func cancellationEndsTheWaitAndTheStreamAsCancelled() throws {
        let host = try serve(
            [(1, .test("act"))],
            answer: { message, _, host in
                if message.kind == .hostCall { host.put(.cancel(reason: "user left"), stream: 1) }
            }
        ) { call in
            #expect(throws: ToolError(.cancelled, "the host cancelled the call")) {
                try call.callHost("wait", Message.Payload([:]))
            }
            #expect(call.isCancelled)
            throw Mishap()
        }
        #expect(host.ending(of: 1)?.kind == .cancelled)
        #expect(host.received.contains { $0.message.kind == .cancel && $0.stream == 2 })
    }

    @Test func answerToAnAbandonedHostCallIsDropped() throws {
        let host = try serve(
            [(1, .test("act")), (3, .test("act"))],
            answer: { message, stream, host in
                guard message.kind == .hostCall else { return }
                if stream == 2 { host.put(.cancel(reason: "user left"), stream: 1) }
                if stream == 4 { host.put(.result(Message.Payload(["late": true])), stream: 2) }
                host.put(.result(Message.Payload(["late": false])), stream: stream)
            }
        ) { call in
            .json(try JSONValue(parsing: call.callHost("wait", Message.Payload([:])).json))
        }
        #expect(host.result(of: 3) == ["late": false])
    }

    @Test func silentHostEndsTheWaitAtTheDeadline() throws {
        let soon = Clock.unixMilliseconds() + 60_000
        let host = try serve([(1, .test("act", deadline: soon))]) { call in
            _ = try call.callHost("wait", Message.Payload([:]))
            return .json([:])
        }
        #expect(host.error(of: 1)?.code == .deadlineExceeded)
    }

    @Test func stopEndsAWaitThatWouldOutlastIt() throws {
        let plugin = Plugin(name: "sample")
        plugin.tool("act") { call in .json(try JSONValue(parsing: call.callHost("wait", Message.Payload([:])).json)) }
        let host = FakeHost(
            steps: [
                { $0.put(.welcome(version: 1, instance: "test-1", bodyLimit: 1 << 20)) },
                { $0.put(.initialize(configuration: Array("{}".utf8))) },
                { $0.put(.start) },
                { $0.put(.call(.test("act")), stream: 1) },
                { $0.put(.dispose) },
            ],
            answer: { message, _, host in if message.kind == .hostCall { host.put(.stop(deadline: 1)) } })
        try Session(plugin: plugin, link: host).run()
        #expect(host.error(of: 1)?.code == .unavailable)
        #expect(host.kinds.suffix(4) == [.cancel, .error, .stopped, .disposed])
    }

    @Test func sessionThatBreaksDuringACallEndsEvenIfTheHandlerSwallowsTheError() {
        #expect(throws: SessionError.self) {
            try serve(
                [(1, .test("act"))],
                answer: { message, _, host in if message.kind == .hostCall { host.put(.start) } }
            ) { call in
                _ = try? call.callHost("wait", Message.Payload([:]))
                return .json([:])
            }
        }
    }
}
