internal import PluginABI

/// Section 7: streams, calls, deadlines and cancelling.
extension HostCheck {
    static let calls: [HostCheck] = [
        HostCheck("ABI-7.1", "calls open odd streams in rising order, from 1", group: "calls") { stage in
            for _ in 0..<3 { _ = try await stage.look() }
            let streams = try await stage.look().frames(.call).map(\.stream)
            try stage.expect(
                streams.first == 1 && streams.allSatisfy { $0 % 2 == 1 }
                    && zip(streams, streams.dropFirst()).allSatisfy { $0 < $1 },
                "the streams were \(streams)", fix: "open 1, 3, 5 and so on, each once")
        },
        HostCheck(
            "ABI-7.3", "a second terminal frame is dropped, counted and harms nobody", group: "calls",
            ["act: ok error ok cancelled"]
        ) { stage in
            let json = try await stage.result("act")
            try stage.expect(json.elementsEqual("{}".utf8), "another answer arrived", fix: "deliver the first one")
            try await stage.expectAlive("a call after a second terminal frame")
            if stage.host.abilities.contains(.late) {
                let late = await stage.state().late
                try stage.expect(late == 3, "\(late) late frames were counted, of 3", fix: "count what is dropped")
            }
        },
        HostCheck(
            "ABI-7.3", "progress and data after the end are dropped", group: "calls",
            ["act: ok progress=1,2 data=10,10"]
        ) { stage in
            _ = try await stage.result("act")
            try await stage.expectAlive("a call after late frames")
        },
        ends(
            "ABI-7.4", "a result on a stream that was never opened",
            ["act: hex=\(HostBytes.result("{}", stream: 999)) ok wait=60000"], group: "calls"),
        ends(
            "ABI-7.4", "progress on a stream that was never opened",
            [
                "act: hex=\(progress(stream: 999)) wait=60000"
            ], group: "calls"),
        HostCheck(
            "ABI-7.5", "calls may be answered in any order", group: "calls",
            ["act: hold", "then: wait=200 release report"],
            isConcurrent: true
        ) { stage in
            try await stage.expectRunning()
            async let first = stage.call("act")
            async let second = stage.call("act")
            async let third = stage.call("act")
            await stage.pause(300)
            let seen = try await stage.look("then")
            var streams: [String] = []
            for answer in [await first, await second, await third] {
                guard case .result(let json, _) = answer else {
                    throw HostFinding.failed("a held call failed: \(answer)", fix: "match answers by stream")
                }
                streams.append(String(decoding: json, as: UTF8.self))
            }
            try stage.expect(
                Set(streams).count == 3, "two calls had the same answer: \(streams)", fix: "match by stream")
            let open = seen.frames(.call).count
            try stage.expect(open >= 4, "the plugin saw \(open) calls", fix: "send each call")
        },
        exact("spaces", "{ \"a\" :\t1 ,\n\"b\":[ ] }"),
        exact("numbers no double holds", "{\"a\":1e400,\"b\":0.10,\"c\":123456789012345678901234567890}"),
        exact("escapes", "{\"a\":\"\\u0041\\/\\n\",\"b\":\"\u{E9}\"}"),
        exact("the order of members", "{\"z\":1,\"a\":2,\"m\":3}"),
        HostCheck(
            "ABI-4.7", "the caller gets the result byte by byte", group: "calls", ["act: hex=\(HostBytes.result(odd))"]
        ) { stage in
            let json = try await stage.result("act")
            try stage.expect(
                json.elementsEqual(odd.utf8), "it became \(String(decoding: json, as: UTF8.self))",
                fix: "pass on the bytes of the field")
        },
        HostCheck("ABI-4.7", "a call has its tool, its arguments and a request id", group: "calls") { stage in
            guard let call = try await stage.look().frames(.call).last else {
                throw HostFinding.failed("no call came", fix: "send one")
            }
            try stage.expect(
                call.text(1) == HostStage.tool("look", of: stage.plugin.name) && call.text(2) == "{}"
                    && call.text(4)?.isEmpty == false && call.isWhole,
                "the call was \(call.text(1) ?? "") \(call.text(2) ?? "") \(call.text(4) ?? "")",
                fix: "send tool, arguments, deadline and requestID")
        },
        HostCheck(
            "ABI-7.12", "progress on an open call is harmless", group: "calls", ["act: progress=1,3 progress=2,3 ok"]
        ) { stage in
            _ = try await stage.result("act")
        },
        ends(
            "ABI-7.12", "progress on stream 0",
            [
                "act: hex=\(progress(stream: 0)) wait=60000"
            ], group: "calls"),
    ]

    private static func progress(stream: UInt64) -> String {
        HostBytes.frame(.progress, stream: stream, HostBytes.field(1, HostBytes.little(UInt64(1))))
    }

    private static let odd = "{ \"a\" :1.0e+2, \"b\":\"\\u00e9\\/\" , \"c\":1e999}"

    private static func exact(_ what: String, _ arguments: String) -> HostCheck {
        HostCheck("ABI-4.7", "arguments arrive byte by byte: \(what)", group: "calls", ["act: report"]) { stage in
            let seen = ProbeReport(try await stage.result("act", arguments))?.frames(.call).last?.text(2)
            try stage.expect(seen == arguments, "they became \(seen ?? "nothing")", fix: "pass on the caller's bytes")
        }
    }

    static let endings: [HostCheck] = [
        HostCheck("ABI-7.9", "a deadline is absolute, ahead, and not a day away", group: "deadlines") { stage in
            guard let call = try await stage.look().frames(.call).last, let deadline = call.number(3) else {
                throw HostFinding.failed("no deadline came", fix: "send one with each call")
            }
            let ahead = Int64(bitPattern: deadline &- call.at)
            try stage.expect(
                (1...86_400_000).contains(ahead), "it is \(ahead) ms after the call came",
                fix: "send milliseconds of Unix time")
        },
        HostCheck(
            "ABI-7.9", "when a deadline passes the caller knows and the plugin is sent cancel; what it answers is late",
            group: "deadlines", ["act: until=36 ok"], needs: [.deadline]
        ) { stage in
            try await stage.expectRunning()
            let began = ContinuousClock.now
            let answer = await stage.call("act", deadline: 600)
            let took = (ContinuousClock.now - began) / .seconds(1)
            guard case .failure("deadline-exceeded", _, _) = answer, took > 0.5, took < 2.5 * stage.slack else {
                throw HostFinding.failed(
                    "after \(took) s the caller had \(answer)", fix: "answer with deadline-exceeded, in time")
            }
            try await expectCancelled(stage)
        },
        HostCheck(
            "ABI-7.9", "the deadline that the plugin is told is the caller's", group: "deadlines", needs: [.deadline]
        ) { stage in
            guard case .result(let json, _) = await stage.call("look", deadline: 5_000),
                let call = ProbeReport(json)?.frames(.call).last
            else { throw HostFinding.failed("a call with a deadline of 5 s failed", fix: "let it run") }
            let ahead = Int64(bitPattern: (call.number(3) ?? 0) &- call.at)
            try stage.expect((1...5_050).contains(ahead), "it is \(ahead) ms away", fix: "send the caller's deadline")
        },
        HostCheck(
            "ABI-7.10", "when a caller gives up the plugin is sent cancel; what it answers is late", group: "deadlines",
            ["act: until=36 ok"], needs: [.cancel]
        ) { stage in
            try await stage.expectRunning()
            _ = await stage.call("act", cancelAfter: 300)
            try await expectCancelled(stage)
        },
        HostCheck(
            "ABI-7.11", "cancelled is taken as the end of a call", group: "deadlines", ["act: wait=50 cancelled"]
        ) { stage in
            guard case .failure(let code, _, _) = await stage.call("act"), code == "cancelled" else {
                throw HostFinding.failed(
                    "the caller was not told that the call was cancelled", fix: "answer with cancelled")
            }
            try await stage.expectAlive("a call after a cancelled one")
        },
        HostCheck(
            "ABI-7.2", "an error reaches the caller with its code and message", group: "deadlines", ["act: error"]
        ) { stage in
            guard case .failure("plugin-failed", let message, false) = await stage.call("act"),
                message.contains("the script of the probe says no")
            else { throw HostFinding.failed("it was lost on its way", fix: "pass on code and message") }
            try await stage.expectAlive("a call after an error")
        },
        HostCheck(
            "ABI-9.6", "whether an error is retryable reaches the caller", group: "deadlines", ["act: hex=\(retryable)"]
        ) { stage in
            guard case .failure("unavailable", _, true) = await stage.call("act") else {
                throw HostFinding.failed("the error is not unavailable, retryable", fix: "pass on field 3 of error")
            }
        },
    ]

    private static var retryable: String {
        HostBytes.frame(
            .error, HostBytes.field(1, "unavailable") + HostBytes.field(2, "later") + HostBytes.field(3, [1]))
    }

    /// Exactly the stream of the only `act` was cancelled, and the late answer harmed nothing.
    private static func expectCancelled(_ stage: HostStage) async throws(HostFinding) {
        await stage.pause(300)
        let seen = try await stage.look("look", "a call after one that was given up")
        let own = seen.frames(.call).first?.stream
        let cancels = seen.frames(.cancel)
        try stage.expect(
            !cancels.isEmpty && cancels.allSatisfy { $0.stream == own },
            "\(cancels.count) cancels came, on the streams \(cancels.map(\.stream))",
            fix: "send cancel on the call's stream")
        if stage.host.abilities.contains(.late) {
            let late = await stage.state().late
            try stage.expect(late == 1, "\(late) late frames were counted, of 1", fix: "count the late answer")
        }
    }
}
