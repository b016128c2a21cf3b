internal import PluginABI

/// Sections 7.4 and 9: host services, credentials and logs.
extension HostCheck {
    static let credentials: [HostCheck] = [
        HostCheck(
            "ABI-9.1", "a call carries the credentials that its tool declares, and no other", group: "credentials",
            needs: [.credentials]
        ) { stage in
            _ = try await stage.result("lend")
            let calls = try await stage.look().frames(.call)
            try stage.expect(
                calls.first?.credentials == ["key_a"], "the call of lend carried \(calls.first?.credentials ?? [])",
                fix: "send what the tool declares")
            try stage.expect(
                calls.last?.credentials == [], "a tool that declares none was sent \(calls.last?.credentials ?? [])",
                fix: "send only what the tool declares")
        },
        HostCheck(
            "ABI-9.1", "a credential is in its field and nowhere else", group: "credentials", needs: [.credentials]
        ) { stage in
            guard let seen = ProbeReport(try await stage.result("lend")) else {
                throw HostFinding.failed("the report did not arrive", fix: "pass results on")
            }
            try stage.expect(
                seen.secretsSeen.isEmpty, "it also stood in: \(seen.secretsSeen.joined(separator: ", "))",
                fix: "put credentials in the credential field only")
        },
        redacted("a result", ["lend: leak"]), redacted("an error", ["lend: leak=1"]),
        HostCheck(
            "ABI-9.5", "a credential in a log is replaced", group: "credentials", ["lend: leak"],
            needs: [.credentials, .log]
        ) { stage in
            _ = await stage.call("lend")
            let lines = await stage.log(with: "the secret is")
            try stage.expect(
                lines.contains { $0.contains("the secret is") },
                "the plugin's lines are not in its log: \(lines.suffix(3))",
                fix: "keep log frames and what is captured from 1 and 2")
            try stage.expect(
                !lines.contains { $0.contains(secret(stage)) }, "it stands in the log",
                fix: "replace it before the line is kept")
        },
        HostCheck(
            "ABI-9.8", "a plugin that floods the log is slowed down or cut, not its host", group: "credentials",
            ["act: log=50000 ok"], needs: [.log]
        ) { stage in
            _ = try await stage.result("act", "{}", "a call that logs 50,000 lines")
            try await stage.expectAlive("a call after the flood")
            let count = await stage.state().log.count
            try stage.expect(count < 10_000, "\(count) lines were kept", fix: "bound what is kept of a plugin's log")
        },
    ]

    private static func secret(_ stage: HostStage) -> String { stage.plugin.credentials["key_a"] ?? "?" }

    private static func redacted(_ place: String, _ steps: [String]) -> HostCheck {
        HostCheck("ABI-9.5", "a credential in \(place) is replaced", group: "credentials", steps, needs: [.credentials])
        {
            stage in
            let words =
                switch await stage.call("lend") {
                case .result(let json, _): String(decoding: json, as: UTF8.self)
                case .failure(_, let message, _): message
                }
            try stage.expect(
                words.contains("the secret is"), "the answer was lost: \(words)", fix: "replace only the secret")
            try stage.expect(
                !words.contains(secret(stage)), "the caller was given it", fix: "replace it before anyone sees it")
        }
    }

    static let services: [HostCheck] = [
        HostCheck(
            "ABI-7.18", "a service that is not declared is denied, and the session goes on", group: "services",
            ["act: hostcalls=1 until=34 report"]
        ) { stage in
            let errors = try await stage.look("act").frames(.error)
            try stage.expect(
                errors.count == 1 && errors.first?.stream == 2 && errors.first?.text(1) == "permission-denied",
                "the answers were \(errors.map { $0.text(1) ?? "" }) on \(errors.map(\.stream))",
                fix: "answer with permission-denied on the host call's stream")
            try await stage.expectAlive("a call after a denied service")
        },
        HostCheck(
            "ABI-7.20", "a connection that is not declared is denied, and the session goes on", group: "services",
            ["act: connects=1 until=34 report"]
        ) { stage in
            let errors = try await stage.look("act").frames(.error)
            try stage.expect(
                errors.count == 1 && errors.first?.text(1) == "permission-denied",
                "the answers were \(errors.map { $0.text(1) ?? "" })",
                fix: "answer with permission-denied on the host call's stream")
            try await stage.expectAlive("a call after a denied connection")
        },
        HostCheck(
            "ABI-7.17", "a host call for a call that is not open gets nothing", group: "services",
            ["act: hostcalls=1,999 wait=400 report"]
        ) { stage in
            guard case .result(let json, _) = await stage.call("act"), let seen = ProbeReport(json) else { return }
            try stage.expect(
                seen.frames(.result).isEmpty && seen.frames(.error).count == 1,
                "the host served it", fix: "serve only calls that are open")
        },
        HostCheck(
            "ABI-7.17", "host calls beyond 32 are answered with unavailable, the others are served", group: "services",
            ["act: fetches=40 until=34,40 report"]
        ) { stage in
            let errors = try await stage.look("act", "a call with 40 host calls").frames(.error)
            let (kept, refused) = (errors.filter { $0.stream <= 64 }, errors.filter { $0.stream > 64 })
            try stage.expect(errors.count == 40, "\(errors.count) of 40 were answered", fix: "answer each host call")
            let words = Set(kept.compactMap { $0.text(2) })
            let isRefused = refused.allSatisfy { $0.text(1) == "unavailable" && !words.contains($0.text(2) ?? "") }
            try stage.expect(
                refused.count == 8 && isRefused, "the 33rd to 40th were treated like the first 32",
                fix: "refuse a host call while 32 are open, and say so")
        },
        ends("ABI-7.1", "a host call on an odd stream", ["act: hex=\(hostCall(3)) wait=60000"], group: "services"),
        ends(
            "ABI-7.1", "a host call on a stream that does not rise",
            ["act: hex=\(hostCall(4))\(hostCall(2)) wait=60000"], group: "services"),
    ]

    private static func hostCall(_ stream: UInt64) -> String {
        // The parent is the first call of the session, stream 1.
        HostBytes.frame(
            .hostCall, stream: stream, HostBytes.field(1, "probe.nothing"),
            HostBytes.field(2, HostBytes.little(UInt64(1))),
            HostBytes.field(3, "{}"))
    }

    static let flow: [HostCheck] = [
        HostCheck(
            "ABI-7.13", "data and the result's bytes reach the caller whole and in order", group: "flow",
            [
                "act: data=200000,70000 hex=\(resultWithBytes)"
            ],
            needs: [.bytes], answersBytes: true
        ) { stage in
            guard case .result(let json, let bytes) = await stage.call("act") else {
                throw HostFinding.failed(
                    "a call that sends data within its credit failed", fix: "collect data until the result")
            }
            try stage.expect(
                json.elementsEqual("{}".utf8) && bytes.count == 200_003 && bytes.suffix(3).elementsEqual("end".utf8)
                    && bytes.prefix(200_000).allSatisfy { $0 == 0x78 },
                "\(bytes.count) of 200003 bytes arrived", fix: "give the caller all data and then the result's bytes")
        },
        HostCheck(
            "ABI-7.15", "credit comes as data is consumed: 2 MiB pass", group: "flow",
            ["act: stream=2097152,65536 report"],
            answersBytes: true
        ) { stage in
            let answer = await stage.call("act")
            guard case .result(let json, let bytes) = answer, let seen = ProbeReport(json) else {
                throw HostFinding.failed("the call failed: \(answer)", fix: "send credit while the answer is consumed")
            }
            let granted = seen.frames(.credit).reduce(0) { $0 + Int($1.number(1) ?? 0) }
            try stage.expect(
                granted >= 2_097_152 - ABILimits.initialCreditBytes, "\(granted) bytes of credit came in 5 s",
                fix: "send credit as data is consumed")
            if stage.host.abilities.contains(.bytes) {
                try stage.expect(bytes.count == 2_097_152, "\(bytes.count) bytes arrived", fix: "lose nothing")
            }
        },
        HostCheck(
            "ABI-7.15", "credit is at least 1, on an open call, and never above 16 MiB unspent", group: "flow",
            ["act: stream=1048576,65536 report"], answersBytes: true
        ) { stage in
            guard let seen = ProbeReport(try await stage.result("act")) else {
                throw HostFinding.failed("no report", fix: "pass it on")
            }
            let credits = seen.frames(.credit)
            let call = seen.frames(.call).last?.stream
            let total = credits.reduce(ABILimits.initialCreditBytes) { $0 + Int($1.number(1) ?? 0) }
            try stage.expect(
                credits.allSatisfy { ($0.number(1) ?? 0) > 0 && $0.stream == call && $0.fields[1]?.count == 4 },
                "a credit was 0 or on another stream", fix: "send a u32 of at least 1 on the call's stream")
            try stage.expect(
                total - 1_048_576 <= ABILimits.creditBytes, "\(total) bytes of credit were given in all",
                fix: "keep unspent credit at or below creditBytes")
        },
        HostCheck(
            "ABI-7.14", "data beyond the credit is refused", group: "flow", ["act: data=2097152,65536 wait=200 report"],
            answersBytes: true
        ) { stage in
            // A host that consumes faster than the probe sends gives credit in time; then nothing was beyond it.
            guard case .result(let json, _) = await stage.call("act") else {
                try await stage.expectFailure()
                return
            }
            let granted = ProbeReport(json)?.frames(.credit).reduce(0) { $0 + Int($1.number(1) ?? 0) } ?? 0
            try stage.expect(
                granted + ABILimits.initialCreditBytes >= 2_097_152,
                "2097152 bytes passed with \(granted + ABILimits.initialCreditBytes) bytes of credit",
                fix: "end the session with flow-control")
        },
        HostCheck(
            "ABI-4.9", "data without a byte ends the session", group: "flow",
            ["act: hex=\(HostBytes.frame(.data, HostBytes.field(1, []))) wait=60000"], answersBytes: true
        ) { stage in
            try await stage.expectRunning()
            try await stage.expectEnd()
        },
        HostCheck(
            "ABI-4.5", "data longer than 262,144 bytes ends the session", group: "flow",
            ["act: hex=\(longData) zeros=\(ABILimits.dataBytes + 1) wait=60000"], answersBytes: true
        ) { stage in
            try await stage.expectRunning()
            try await stage.expectEnd()
        },
    ]

    private static var resultWithBytes: String {
        HostBytes.frame(.result, HostBytes.field(1, "{}") + HostBytes.field(2, "end"))
    }

    private static var longData: String {
        let count = ABILimits.dataBytes + 1
        return HostBytes.header(length: 6 + count, kind: 38)
            + HostBytes.hex(HostBytes.little(UInt16(1)) + HostBytes.little(UInt32(count)))
    }
}
