internal import PluginABI

/// What a plugin must refuse, or take, in each kind of frame.
enum StrictnessChecks {
    static let all: [Check] = [
        Check(Rule.criticalFields, "an unknown critical field is refused in every frame of the session", .frames) {
            (context) throws(CheckStop) in
            let empty = Array("{}".utf8)
            let frames: [(Message, LifecycleState)] = [
                (.welcome(version: 1, instance: "conformance", bodyLimit: UInt32(ABILimits.bodyBytes)), .greeted),
                (.initialize(configuration: empty), .welcomed), (.start, .initialized),
                (.stop(deadline: KitClock.unix() + UInt64(context.limits.stop)), .running),
                (.dispose, .initialized), (.ping(nonce: 1), .running), (.pong(nonce: 1), .running),
            ]
            for (message, state) in frames { try refuse(message, on: 0, try context.talk(at: state), context) }
        },
        Check(Rule.criticalFields, "an unknown critical field is refused in a call", .calls) {
            (context) throws(CheckStop) in
            let call = Message.Call(
                tool: context.plan.quick?.tool ?? "conformance-no-such-tool",
                arguments: context.plan.quick?.arguments ?? Array("{}".utf8), deadline: KitClock.unix() + 5_000,
                requestID: "critical")
            try refuse(.call(call), on: 1, try context.talk(at: .running), context)
        },
        Check(Rule.criticalFields, "an unknown critical field is refused in cancel and credit", .cancelling) {
            (context) throws(CheckStop) in
            for message in [Message.cancel(reason: "conformance"), .credit(bytes: 1)] {
                let talk = try context.talk(at: .running)
                try refuse(message, on: try talk.openHeardCall(), talk, context)
            }
        },
        Check(Rule.emptyData, "a credit of 0 is refused", .streaming) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try talk.openHeardCall()
            talk.provoke(Message.credit(bytes: 0).frame(stream: stream).encoded(), as: "credit \(stream)")
            try talk.expectAbort(.malformedFrame, after: "a credit of 0")
        },
        Check(Rule.bodyLimit, "frames of the host are taken up to \(ABILimits.bodyBytes) bytes of body", .frames) {
            (context) throws(CheckStop) in
            for size in [ABILimits.handshakeBodyBytes + 1, (1 << 20) + 1, ABILimits.bodyBytes] {
                let talk = try context.talk(at: .running)
                var frame = Message.ping(nonce: UInt64(size)).frame()
                // Tag 0x0377, which no message of version 1 has.
                let length = UInt32(size - frame.body.count - 6)
                frame.body += [0x77, 0x03] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
                frame.body += [UInt8](repeating: UInt8(ascii: "x"), count: Int(length))
                talk.openPings.append(UInt64(size))
                talk.remember("host ping of \(size) bytes", 0)
                talk.send(raw: frame.encoded())
                _ = try talk.wait(context.limits.patience) { !talk.pongs.isEmpty || talk.stateAborted != nil }
                if let abort = talk.stateAborted, abort.code != .frameTooLarge {
                    // A long frame comes in pieces, and is long by a field that no version 1 knows.
                    let isField = abort.code == .unknownCriticalField
                    throw .unreachable(
                        requirement: isField ? Rule.criticalFields : Rule.anyCuts,
                        why: "a ping with a body of \(size) bytes: \(talk.found)",
                        remedy: isField
                            ? "skip tags below 0x8000 that you do not know"
                            : "read on until 16 bytes are there, and then the whole body")
                }
                try talk.expect(
                    "a pong for a ping with a body of \(size) bytes",
                    fix: "take frames of the host up to \(ABILimits.bodyBytes) bytes once welcome has come"
                ) { !talk.pongs.isEmpty }
            }
        },
        Check(Rule.oneEnd, "nothing follows the end of a cancelled call", .cancelling) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try talk.openSlowCall()
            talk.send(.cancel(reason: "conformance"), on: stream)
            guard try talk.wait(context.limits.patience, until: { talk.ended([stream]) }) else {
                throw .unreachable(
                    requirement: Rule.cancel, why: "no terminal frame after cancel: \(talk.found)",
                    remedy: "let the work see the cancel")
            }
            try talk.listen(context.limits.linger)
            if let count = talk.calls[stream]?.ends.count, count > 1 {
                throw .failed(
                    why: "\(count) terminal frames came for one call that was cancelled",
                    remedy: "forget a call with its first terminal frame, also what still works on it")
            }
        },
    ]

    /// Where the plugin asks the host for something.
    static let services: [Check] = [
        Check(Rule.criticalFields, "an unknown critical field is refused in the answer of a service", .services) {
            (context) throws(CheckStop) in
            let answers: [Message] = [
                .result(Message.Payload(json: Array("{}".utf8))),
                .error(ABIError(.permissionDenied, "conformance"), retryable: false), .cancelled(reason: "conformance"),
            ]
            for message in answers {
                let talk = try context.talk(at: .running)
                talk.hostCallPolicy = .ignore
                _ = try ServiceChecks.askingCall(talk)
                _ = try talk.isAlive()
                try refuse(message, on: talk.lastHostCall, talk, context)
            }
        }
    ]

    private static func refuse(
        _ message: Message, on stream: UInt64, _ talk: PluginTalk, _ context: CheckContext
    ) throws(CheckStop) {
        var frame = message.frame(stream: stream)
        frame.body += [0x77, 0x83, 0, 0, 0, 0]
        talk.provoke(frame.encoded(), as: "\(message.kind) with an unknown critical field")
        defer { context.finish() }
        try talk.expectAbort(.unknownCriticalField, after: "\(message.kind) with an unknown critical field")
    }
}
