internal import PluginABI

/// Sections 5 and 6.1: versions, and the way to `running`.
extension HostCheck {
    static let handshake: [HostCheck] = [
        HostCheck("ABI-5.1", "a plugin that never says hello fails after 10 s", group: "handshake", ["begin: hang"]) {
            stage in
            try await expectTimely(stage, 10)
        },
        HostCheck("ABI-5.1", "a hello after 3 s is in time", group: "handshake", ["begin: sleep=3000 hello"]) { stage in
            try await stage.expectAlive("the first call")
        },
        HostCheck(
            "ABI-5.1", "before welcome a body of 4,097 bytes is refused by its header", group: "handshake",
            ["begin: hex=\(HostBytes.header(length: 4_097, kind: 1, stream: 0)) hang"]
        ) { stage in try await stage.expectFailedStart() },
        HostCheck(
            "ABI-5.1", "before welcome a body of 4,096 bytes is taken", group: "handshake",
            HostBytes.steps("begin", longHello)
        ) { stage in try await stage.expectAlive("the first call") },
        HostCheck("ABI-5.2", "a version range from 0 is refused", group: "handshake", [begin(0, 1)]) { stage in
            try await stage.expectFailedStart()
        },
        HostCheck("ABI-5.2", "a version range that ends before it begins is refused", group: "handshake", [begin(2, 1)])
        {
            stage in try await stage.expectFailedStart()
        },
        HostCheck(
            "ABI-5.3", "without a common version the cause names both ranges and the side to update",
            group: "handshake", ["begin: hello=770,779"]
        ) { stage in
            let state = try await stage.expectFailedStart()
            let isWhole = ["770", "779", "1", "update"].allSatisfy(state.cause.contains)
            try stage.expect(
                isWhole, "the cause is: \(state.cause)", fix: "name both ranges and say which side to update")
            // The probe tells of the abort if it lived long enough; if it did not, the cause has to do.
            if let line = state.log.last(where: { $0.contains("probe: abort") }) {
                try stage.expect(
                    line.contains("no-common-version") && line.contains("770"), "the abort was: \(line)",
                    fix: "send abort with no-common-version and those words")
            }
        },
        HostCheck(
            "ABI-5.3", "of two ranges the host takes the highest common version", group: "handshake",
            ["begin: hello=1,900"]
        ) { stage in
            let seen = try await stage.look()
            try stage.expect(
                seen.frames(.welcome).first?.number(1) == 1, "the welcome says otherwise", fix: "choose version 1")
        },
        HostCheck("ABI-5.4", "welcome has a version, an instance and a lawful body limit", group: "handshake") {
            stage in
            guard let welcome = try await stage.look().frames(.welcome).first else {
                throw HostFinding.failed("no welcome came", fix: "answer hello with welcome")
            }
            try stage.expect(
                welcome.stream == 0 && welcome.isWhole && welcome.number(1) == 1
                    && welcome.text(2)?.isEmpty == false,
                "a field of welcome is missing or wrong", fix: "send version, instance and bodyLimit on stream 0")
            let limit = Int(welcome.number(3) ?? 0)
            try stage.expect(
                (ABILimits.handshakeBodyBytes...ABILimits.bodyBytes).contains(limit), "bodyLimit is \(limit)",
                fix: "keep it from 4,096 to 4,194,304")
        },
        HostCheck(
            "ABI-5.4", "a body as long as the body limit is taken", group: "handshake",
            ["act: hex=\(largestResult) zeros=\(ABILimits.bodyBytes - 14)"],
            answersBytes: true
        ) { stage in
            guard try await stage.look().frames(.welcome).first?.number(3) == UInt64(ABILimits.bodyBytes) else {
                throw HostFinding.skipped("the host's body limit is below that of the ABI")
            }
            _ = try await stage.result("act", "{}", "a result of \(ABILimits.bodyBytes) bytes")
        },
    ]

    /// A result whose body is exactly as long as allowed: `{}` and raw bytes, which follow.
    private static var largestResult: String {
        HostBytes.header(length: ABILimits.bodyBytes, kind: 33)
            + HostBytes.hex(
                HostBytes.field(1, "{}") + HostBytes.little(UInt16(2))
                    + HostBytes.little(UInt32(ABILimits.bodyBytes - 14)))
    }

    private static func begin(_ minimum: UInt32, _ maximum: UInt32) -> String {
        "begin: hex=" + HostBytes.frame(.hello, stream: 0, hello(minimum, maximum)) + " wait=60000"
    }

    private static func hello(_ minimum: UInt32, _ maximum: UInt32) -> [UInt8] {
        HostBytes.field(1, HostBytes.little(minimum)) + HostBytes.field(2, HostBytes.little(maximum))
            + HostBytes.field(3, "probe")
    }

    /// With an unknown field that fills the body.
    private static var longHello: String {
        let known = hello(1, 1)
        let filler = [UInt8](repeating: 0x20, count: ABILimits.handshakeBodyBytes - known.count - 6)
        return HostBytes.frame(.hello, stream: 0, known, HostBytes.field(0x0700, filler))
    }

    /// The start must fail near that many seconds, and the plugin be killed.
    static func expectTimely(_ stage: HostStage, _ seconds: Double) async throws(HostFinding) {
        let began = ContinuousClock.now
        let answer = await stage.start()
        let took = (ContinuousClock.now - began) / .seconds(1)
        guard case .failure = answer else {
            throw HostFinding.failed("the plugin counts as started", fix: "keep the deadline")
        }
        try stage.expect(
            took > seconds - 1 && took < (seconds + 3) * stage.slack, "the start failed after \(Int(took)) s",
            fix: "fail the session when \(Int(seconds)) s have passed")
        try await stage.expectFailure()
    }

    static let lifecycle: [HostCheck] = [
        HostCheck("ABI-6.1", "the frames come in order: welcome, initialize, start, call", group: "lifecycle") {
            stage in
            let kinds = try await stage.look().frames.map(\.kind)
            let wanted: [FrameKind] = [.welcome, .initialize, .start, .call]
            try stage.expect(
                kinds.filter { $0 != FrameKind.ping.rawValue } == wanted.map(\.rawValue), "the kinds came as \(kinds)",
                fix: "take the steps of the table in 6.1, one by one")
        },
        HostCheck(
            "ABI-6.1", "each step waits for the one before", group: "lifecycle",
            ["initialize: wait=300 initialized", "start: wait=300 started"]
        ) { stage in
            let seen = try await stage.look().frames
            let steps = seen.filter { [16, 18, 32].contains($0.kind) }
            let gaps = zip(steps.dropFirst(), steps).map { Int($0.at) - Int($1.at) }
            try stage.expect(
                gaps.count == 2 && gaps.allSatisfy { $0 >= 280 }, "the steps came \(gaps) ms apart",
                fix: "send start after initialized, and calls after started")
        },
        HostCheck("ABI-4.6", "initialize carries an object", group: "lifecycle") { stage in
            let text = try await stage.look().frames(.initialize).first?.text(1) ?? ""
            try stage.expect(
                text.hasPrefix("{") && text.hasSuffix("}"), "the configuration is \(text)", fix: "send {} at least")
        },
        HostCheck(
            "ABI-6.2", "initialize that is not answered fails after 10 s", group: "lifecycle", ["initialize: hang"]
        ) { stage in try await expectTimely(stage, 10) },
        HostCheck("ABI-6.2", "start that is not answered fails after 30 s", group: "lifecycle", ["start: hang"]) {
            stage in
            try await expectTimely(stage, 30)
        },
        refusal("initialize"), refusal("start"),
        HostCheck(
            "ABI-6.6", "a ping is answered by a pong with its nonce, also in a call", group: "lifecycle",
            ["act: ping=81985529216486895 until=25 report"]
        ) { stage in
            let pongs = try await stage.look("act").frames(.pong)
            try stage.expect(pongs.count == 1, "\(pongs.count) pongs came", fix: "answer each ping with one pong")
            try stage.expect(
                pongs.first?.number(1) == 81_985_529_216_486_895, "the nonce is another",
                fix: "send back the ping's nonce")
        },
        unexpected("started instead of initialized", ["initialize: started"]),
        unexpected("a log before hello", ["begin: log=1 hello"]),
        unexpected("a host call before it runs", ["start: hostcalls=1 started"]),
        ends("ABI-6.1", "a second hello", ["act: hello wait=60000"], group: "lifecycle"),
        ends("ABI-6.1", "started while it runs", ["act: started wait=60000"], group: "lifecycle"),
        ends("ABI-6.1", "stopped without stop", ["act: stopped wait=60000"], group: "lifecycle"),
        ends("ABI-6.1", "abort, and its caller has an error", ["act: hex=\(abort) exit=1"], group: "lifecycle"),
        HostCheck(
            "ABI-6.7", "a plugin that is started anew begins a new session", group: "lifecycle", ["act: exit=1"]
        ) { stage in
            try await stage.expectRunning()
            try await stage.expectEnd()
            guard case .result(let json, _) = await stage.call("look"), let seen = ProbeReport(json) else {
                throw HostFinding.skipped("the host does not start a failed plugin anew")
            }
            try stage.expect(
                seen.frames(.call).map(\.stream) == [1] && seen.frames(.welcome).count == 1,
                "something of the old session survived", fix: "start with new streams and a new state")
        },
    ]

    private static var abort: String {
        HostBytes.frame(.abort, stream: 0, HostBytes.field(1, "probe.tired"), HostBytes.field(2, "enough"))
    }

    private static func unexpected(_ what: String, _ steps: [String]) -> HostCheck {
        HostCheck("ABI-6.1", "\(what) fails the start", group: "lifecycle", steps) { stage in
            try await stage.expectFailedStart()
        }
    }

    private static func refusal(_ step: String) -> HostCheck {
        HostCheck(
            "ABI-6.3", "an error at \(step) fails the start, with its words", group: "lifecycle", ["\(step): error"]
        ) {
            stage in
            let state = try await stage.expectFailedStart()
            try stage.expect(
                state.cause.contains("the script of the probe says no"), "the cause is: \(state.cause)",
                fix: "keep the message of the plugin's error")
        }
    }
}
