import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

/// `data` with credit, progress and logs of waiting tools. Asynchronous ones: AsyncToolTests.
@Suite struct StreamingTests {
    private func serve(
        _ calls: [(stream: UInt64, call: Message.Call)] = [(1, .test("act"))], bodyLimit: UInt32 = 1 << 20,
        answer: @escaping (Message, UInt64, FakeHost) -> Void = { _, _, _ in }, handler: @escaping Plugin.ToolHandler
    ) throws -> FakeHost {
        let plugin = Plugin(name: "sample")
        plugin.tool("act", handler: handler)
        let host = FakeHost.wholeLife(calls: calls, bodyLimit: bodyLimit, answer: answer)
        try Session(plugin: plugin, link: host).run()
        return host
    }

    private func data(_ host: FakeHost, stream: UInt64 = 1) -> [Int] {
        host.received.compactMap { frame in
            if case .data(let bytes) = frame.message, frame.stream == stream { bytes.count } else { nil }
        }
    }

    @Test func dataNeverExceedsItsCreditNorAFrame() throws {
        var granted = ABILimits.initialCreditBytes
        var seen = 0
        let host = try serve(answer: { message, stream, host in
            guard case .data(let bytes) = message else { return }
            #expect(bytes.count <= ABILimits.dataBytes)
            seen += bytes.count
            #expect(seen <= granted)
            guard seen == granted else { return }
            granted += 600_000
            host.put(.credit(bytes: 600_000), stream: stream)
        }) { call in
            try call.send([UInt8](repeating: 1, count: 1_000_000))
            return .json([:])
        }
        #expect(data(host).reduce(0, +) == 1_000_000)
        #expect(host.ending(of: 1)?.kind == .result)
    }

    @Test func cancellationEndsTheWaitForCredit() throws {
        let host = try serve(answer: { message, _, host in
            if message.kind == .data { host.put(.cancel(reason: ""), stream: 1) }
        }) { call in
            try call.send([UInt8](repeating: 1, count: 300_000))
            return .json([:])
        }
        #expect(data(host) == [262_144])
        #expect(host.ending(of: 1)?.kind == .cancelled)
    }

    @Test func creditAboveTheLimitEndsTheSession() {
        let error = #expect(throws: SessionError.self) {
            try serve(answer: { message, stream, host in
                if message.kind == .progress { host.put(.credit(bytes: UInt32(ABILimits.creditBytes)), stream: 1) }
            }) { call in
                call.progress(1)
                _ = call.isCancelled
                return .json([:])
            }
        }
        guard case .protocolBroken(let cause) = error else { return #expect(Bool(false)) }
        #expect(cause.code == .flowControl)
    }

    @Test func largeByteResultTravelsAsData() throws {
        let host = try serve { _ in ToolResult(["n": 1], bytes: [UInt8](repeating: 7, count: 200_000)) }
        #expect(data(host) == [200_000])
        #expect(host.result(of: 1) == ["n": 1])
    }

    @Test(arguments: [4_096, 5_000, 20_000])
    func bytesThatOneFrameDoesNotHoldTravelAsData(limit: UInt32) throws {
        // The body of the result is {"n":1}, and six bytes of each field.
        let most = Int(limit) - 7 - 12
        for count in [most, most + 1, 3 * most] {
            let host = try serve(bodyLimit: limit) { _ in
                ToolResult(["n": 1], bytes: [UInt8](repeating: 7, count: count))
            }
            guard case .result(let payload) = host.ending(of: 1) else {
                Issue.record("\(count) bytes: \(String(describing: host.ending(of: 1)))")
                continue
            }
            #expect(payload.json == Array(#"{"n":1}"#.utf8))
            #expect(data(host).reduce(0, +) + payload.bytes.count == count)
            #expect(data(host).isEmpty == (count == most))
            for frame in host.received { #expect(frame.message.frame().body.count <= Int(limit)) }
        }
    }

    @Test func errorsFitTheHostsLimitToo() throws {
        let host = try serve(bodyLimit: 4_096) { _ in
            throw ToolError("sample.\(String(repeating: "x", count: 200))", String(repeating: "é", count: 20_000))
        }
        #expect(host.error(of: 1)?.message.hasSuffix("é…") == true)
        for frame in host.received { #expect(frame.message.frame().body.count <= 4_096) }
    }

    @Test func progressAndFieldsOfLogsArrive() throws {
        let host = try serve { call in
            call.progress(3, of: 10, "three")
            call.log(.warning, "careful", ["reason": "heat"])
            return .json([:])
        }
        guard case .progress(let progress) = host.received[3].message, case .log(let record) = host.received[4].message
        else { return #expect(Bool(false), "\(host.kinds)") }
        #expect(progress == Message.Progress(done: 3, total: 10, message: "three"))
        #expect(record.fields == Array("{\"reason\":\"heat\"}".utf8))
    }

    @Test func traceTravelsFromTheCallToItsRequests() throws {
        var call = Message.Call.test("act")
        call.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        var seen: String?
        _ = try serve(
            [(1, call)],
            answer: { message, stream, host in
                guard case .hostCall(let call) = message else { return }
                seen = call.traceparent
                host.put(.result(Message.Payload(["found": false])), stream: stream)
            }
        ) { call in
            _ = try call.store(.get("k"))
            return .json([:])
        }
        #expect(seen == call.traceparent)
    }

    @Test func storeSpeaksTheServicesOfTheABI() throws {
        var store: [String: [UInt8]] = [:]
        let host = try serve(answer: { message, stream, host in
            guard case .hostCall(let call) = message, let json = try? JSONValue(parsing: call.content.json),
                let key = json["key"]?.stringValue ?? json["prefix"]?.stringValue
            else { return }
            let answer: Message.Payload
            switch call.service {
            case "kv.put":
                store[key] = call.content.bytes
                answer = Message.Payload([:])
            case "kv.get":
                answer = Message.Payload(["found": .bool(store[key] != nil)], bytes: store[key] ?? [])
            case "kv.delete": answer = Message.Payload(["existed": .bool(store.removeValue(forKey: key) != nil)])
            default: answer = Message.Payload(["keys": ["a", "b"], "more": true])
            }
            host.put(.result(answer), stream: stream)
        }) { call in
            try call.store(.put("k", [1, 2]))
            #expect(try call.store(.get("k")) == [1, 2])
            #expect(try call.store(.delete("k")))
            #expect(try call.store(.get("k")) == nil)
            #expect(try call.store(.list(prefix: "x")) == StoreKeys(keys: ["a", "b"], more: true))
            return .json([:])
        }
        #expect(host.ending(of: 1)?.kind == .result)
    }
}
