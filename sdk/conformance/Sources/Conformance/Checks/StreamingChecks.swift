internal import PluginABI

/// abi-v1.md section 7.3: data within its credit.
enum StreamingChecks {
    static let all: [Check] = [
        Check(Rule.credit, "data stops at the initial credit, and goes on with more", .streaming) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try starve(talk)
            talk.grantsCredit = true
            talk.grant(UInt32(ABILimits.initialCreditBytes), on: stream)
            try talk.expect(
                "the call to go on to its end once credit came",
                fix: "wake what waits for credit when credit comes, and count it", within: context.limits.call
            ) { talk.ended([stream]) }
        },
        Check(Rule.credit, "credit of a few bytes lets through no more than these", .streaming) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try starve(talk)
            let before = talk.calls[stream]?.dataBytes ?? 0
            talk.grant(5, on: stream)
            talk.grant(6, on: stream)
            try talk.listen(context.limits.moment)
            talk.send(.cancel(reason: "conformance"), on: stream)
            if (talk.calls[stream]?.dataBytes ?? 0) > before + 11 {
                throw .failed(why: "more than 11 bytes came for a credit of 11", remedy: "count the bytes of data")
            }
        },
        Check(Rule.starved, "a call that waits for credit can be cancelled", .streaming) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try starve(talk)
            talk.send(.cancel(reason: "conformance"), on: stream)
            try talk.expect(
                "a terminal frame for a call that was cancelled while it waited for credit",
                fix: "let cancel wake what waits for credit"
            ) { talk.ended([stream]) }
        },
        Check(Rule.starved, "a call that waits for credit does not hold up pings", .streaming) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try starve(talk)
            guard try talk.isAlive() else {
                throw .expected("a pong", found: talk.found, fix: "wait for credit elsewhere than in the reading loop")
            }
            talk.send(.cancel(reason: "conformance"), on: stream)
        },
        Check(Rule.creditLimit, "credit above the limit is refused with flow-control", .streaming) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try starve(talk)
            // The plugin may spend some of it before it reads on, so: far above.
            let flood = Message.credit(bytes: .max).frame(stream: stream).encoded()
            talk.provoke(flood, as: "credit \(stream)")
            try talk.expectAbort(.flowControl, after: "credit of \(UInt32.max) bytes")
        },
        Check(Rule.bodyLimit, "no frame is longer than the bodyLimit of welcome", .streaming) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .greeted)
            talk.welcome(bodyLimit: ABILimits.handshakeBodyBytes)
            try talk.reach(.running)
            guard let call = context.plan.stream ?? context.plan.quick else {
                throw .skipped(reason: CallPlan.howToNameCalls)
            }
            let stream = talk.call(call)
            do throws(CheckStop) {
                try talk.settle([stream])
            } catch .unreachable(Rule.bodyLimit, let why, let remedy) {
                throw .failed(why: why, remedy: remedy)
            }
        },
    ]

    /// A streaming call that has used up its credit and got no more.
    private static func starve(_ talk: PluginTalk) throws(CheckStop) -> UInt64 {
        guard let call = talk.plan.stream else { throw .skipped(reason: CallPlan.howToNameStream) }
        talk.grantsCredit = false
        let stream = talk.call(call, within: 60_000)
        _ = try talk.wait(talk.limits.patience) { talk.ended([stream]) || talk.calls[stream]?.credit == 0 }
        try talk.listen(talk.limits.moment)
        guard !talk.ended([stream]) else {
            throw .skipped(
                reason:
                    "\(call.tool) ended after \(talk.calls[stream]?.dataBytes ?? 0) bytes of data; give it arguments "
                    + "with which it sends more than \(ABILimits.initialCreditBytes)")
        }
        if (talk.calls[stream]?.dataBytes ?? 0) == 0 {
            throw .skipped(reason: "\(call.tool) sent no data; name a tool that streams")
        }
        return stream
    }
}
