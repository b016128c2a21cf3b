internal import PluginABI

/// Sections 3 and 4: hostile bytes end that session only, at once, and its caller has an error.
extension HostCheck {
    /// The session must end, and the caller of `act` have an error.
    static func ends(_ requirement: String, _ what: String, _ steps: [String], group: String) -> HostCheck {
        HostCheck(requirement, "\(what) ends the session", group: group, steps) { stage in
            try await stage.expectRunning()
            try await stage.expectEnd()
        }
    }

    /// These bytes in a call, and then nothing more from the plugin.
    private static func refuses(_ requirement: String, _ what: String, _ hex: String, _ group: String) -> HostCheck {
        ends(requirement, what, HostBytes.steps("act", hex, "wait=60000"), group: group)
    }

    private static func takes(_ requirement: String, _ what: String, _ steps: [String], _ group: String) -> HostCheck {
        HostCheck(requirement, what, group: group, steps) { stage in
            _ = try await stage.result("act")
            try await stage.expectAlive("the next call")
        }
    }

    static let frames: [HostCheck] = [
        takes(
            "ABI-3.3", "frames that come byte by byte are understood", ["begin: slow=200 hello", "act: ok"], "frames"),
        takes(
            "ABI-3.3", "several frames in one write are understood",
            ["act: hex=\(log)\(log)\(HostBytes.result("{}"))"], "frames"),
        refuses("ABI-4.1", "a header that announces 4 GiB", HostBytes.header(length: 0xFFFF_FFFF, kind: 33), "frames"),
        refuses(
            "ABI-4.1", "a header one byte over the limit",
            HostBytes.header(length: ABILimits.bodyBytes + 1, kind: 33), "frames"),
        refuses(
            "ABI-4.1", "a header of an unknown kind", HostBytes.header(length: 64, kind: 99), "frames"),
        refuses("ABI-4.1", "flags", HostBytes.header(length: 8, kind: 33, flags: 1) + "0100020000007b7d", "frames"),
        refuses(
            "ABI-4.1", "a reserved bit", HostBytes.header(length: 8, kind: 33, reserved: 256) + "0100020000007b7d",
            "frames"),
        refuses(
            "ABI-4.2", "a good result behind a refused frame, which is not read, for that frame",
            HostBytes.header(length: 0, kind: 99) + HostBytes.result("{}"), "frames"),
        refuses("ABI-1.1", "text that is no protocol", HostBytes.hex(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)), "frames"),
        HostCheck(
            "ABI-1.1", "text that is no protocol instead of hello fails the start", group: "frames",
            ["begin: hex=\(HostBytes.hex(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))) hang"]
        ) { stage in try await stage.expectFailedStart() },
        HostCheck(
            "ABI-1.1", "half a frame and then silence: the caller has its deadline, others go on", group: "frames",
            ["act: hex=\(HostBytes.header(length: 100, kind: 33)) hang"], needs: [.deadline], hasNeighbour: true
        ) { stage in
            let began = ContinuousClock.now
            async let stuck = stage.call("act", deadline: 700)
            if let other = stage.neighbour { _ = await stage.call("look", of: other) }
            guard case .failure = await stuck else {
                throw HostFinding.failed("it has a result", fix: "answer at the deadline")
            }
            let took = (ContinuousClock.now - began) / .seconds(1)
            try stage.expect(
                took < 2.5 * stage.slack, "the caller waited \(took) s", fix: "answer at the deadline (ABI-7.9)")
        },
        HostCheck(
            "ABI-1.1", "another plugin works on while one misbehaves", group: "frames",
            ["act: log=20000 hex=\(HostBytes.header(length: 0, kind: 99)) wait=60000"], hasNeighbour: true
        ) { stage in
            guard let other = stage.neighbour else { throw HostFinding.skipped("the driver holds one plugin") }
            for round in 0..<3 {
                async let bad = stage.call("act")
                for _ in 0..<10 {
                    let began = ContinuousClock.now
                    guard case .result = await stage.call("act", of: other) else {
                        throw HostFinding.failed(
                            "a call of the other plugin failed in round \(round)", fix: "keep sessions apart")
                    }
                    let took = (ContinuousClock.now - began) / .seconds(1)
                    try stage.expect(
                        took < 2 * stage.slack, "a call of the other plugin took \(took) s",
                        fix: "share the host fairly")
                }
                guard case .failure = await bad else {
                    throw HostFinding.failed("the bad one succeeded", fix: "refuse kind 99")
                }
            }
        },
    ]

    private static var log: String { HostBytes.frame(.log, HostBytes.field(2, "a line")) }
    private static let good = HostBytes.field(1, "{}")

    static let fields: [HostCheck] = [
        HostCheck(
            "ABI-4.3", "fields in another order are understood", group: "fields",
            ["act: hex=\(HostBytes.frame(.error, HostBytes.field(2, "words") + HostBytes.field(1, "unavailable")))"]
        ) { stage in
            guard case .failure("unavailable", let message, _) = await stage.call("act"), message.contains("words")
            else {
                throw HostFinding.failed("the error did not arrive", fix: "read fields in any order")
            }
            try await stage.expectAlive("the next call")
        },
        refuses("ABI-4.3", "a field that appears twice", HostBytes.frame(.result, good + good), "fields"),
        refuses(
            "ABI-4.4", "an unknown critical field", HostBytes.frame(.result, good + HostBytes.field(0x8077, "x")),
            "fields"),
        takes(
            "ABI-4.4", "an unknown field that is not critical is skipped",
            ["act: hex=\(HostBytes.frame(.result, HostBytes.field(0x0777, "new") + good))"], "fields"),
        refuses("ABI-4.5", "a field cut off in its length", HostBytes.frame(.result, good + [9, 0, 1]), "fields"),
        refuses(
            "ABI-4.5", "a field longer than its frame",
            HostBytes.frame(.result, [1, 0, 9, 0, 0, 0] + Array("{}".utf8)), "fields"),
        refuses(
            "ABI-4.5", "an integer of the wrong size",
            HostBytes.frame(.ping, stream: 0, HostBytes.field(1, [1, 2, 3, 4])), "fields"),
        refuses(
            "ABI-4.5", "text that is not UTF-8", HostBytes.frame(.log, HostBytes.field(2, [0xFF, 0xFE, 0x41])), "fields"
        ),
        refuses(
            "ABI-4.5", "a name over its limit",
            HostBytes.frame(
                .error,
                HostBytes.field(1, String(repeating: "n", count: ABILimits.nameBytes + 1)) + HostBytes.field(2, "m")),
            "fields"),
        refuses("ABI-4.5", "a result without its JSON", HostBytes.frame(.result, HostBytes.field(2, "x")), "fields"),
        refuses(
            "ABI-10.1", "257 fields in one frame",
            HostBytes.frame(
                .result, good,
                Array(repeatElement(HostBytes.field(0x0777, []), count: ABILimits.fieldsPerFrame).joined())),
            "fields"),
        json("that is cut off", "{\"a\":"), json("with a member twice", "{\"a\":1,\"a\":2}"),
        json("with a lone surrogate", "{\"a\":\"\\ud800\"}"), json("with something behind it", "{} {}"),
        json("with a number that JSON has not", "{\"a\":01}"),
        json("nested 65 deep", String(repeating: "[", count: 65) + String(repeating: "]", count: 65)),
        takes("ABI-4.6", "JSON nested 64 deep is taken", ["act: hex=\(HostBytes.result(deepest))"], "fields"),
        refuses(
            "ABI-4.6", "JSON that is not UTF-8", HostBytes.frame(.result, HostBytes.field(1, [0x22, 0xFF, 0x22])),
            "fields"),
        refuses(
            "ABI-4.8", "a frame that only a host may send",
            HostBytes.frame(.stop, stream: 0, HostBytes.field(1, HostBytes.little(UInt64(9)))), "fields"),
        refuses("ABI-4.8", "a result on stream 0", HostBytes.result("{}", stream: 0), "fields"),
        refuses(
            "ABI-8.1", "tools from a tool plugin",
            HostBytes.frame(.tools, stream: 0, HostBytes.field(1, "{\"tools\":[]}")), "fields"),
    ]

    private static let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)

    private static func json(_ what: String, _ text: String) -> HostCheck {
        refuses(text.hasPrefix("[[") ? "ABI-10.1" : "ABI-4.6", "JSON \(what)", HostBytes.result(text), "fields")
    }
}
