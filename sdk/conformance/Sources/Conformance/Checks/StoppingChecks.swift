internal import PluginABI

/// abi-v1.md section 6, from `stop` on: what holds while a plugin stops, once it has stopped, and after that.
enum StoppingChecks {
    static let all: [Check] = [
        Check(Rule.states, "a call that comes after stop is refused", .lifecycle) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            _ = try talk.openHeardCall()
            stop(talk)
            let late = Message.Call(
                tool: context.plan.quick?.tool ?? "conformance", arguments: Array("{}".utf8),
                deadline: KitClock.unix() + 5_000, requestID: "late")
            let stream = talk.nextStream
            // The calls that were open end meanwhile, as they should.
            talk.stillComing.formUnion([.result, .error, .cancelled, .stopped])
            talk.provoke(Message.call(late).frame(stream: stream).encoded(), as: "call \(stream)")
            try talk.expectAbort(.unexpectedMessage, after: "a call that came after stop")
        },
        Check(Rule.ping, "ping is answered while the plugin stops", .lifecycle) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            _ = try talk.openSlowCall()
            stop(talk)
            talk.send(.ping(nonce: 0x57_0B))
            try talk.expect(
                "a pong for a ping that came after stop",
                fix: "answer ping from the loop that reads, in every state"
            ) { talk.pongs.contains(0x57_0B) }
        },
        Check(Rule.answer, "a call is answered once the plugin was stopped and started again", .lifecycle) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            try talk.settle([talk.call(call)])
            stop(talk)
            try talk.arrive(at: .stopped, context.limits.stop)
            try talk.reach(.running)
            let stream = talk.call(call)
            try talk.expect(
                "a terminal frame for a call after the second start", fix: "start what serves calls with each start",
                within: context.limits.call
            ) { talk.ended([stream]) }
        },
        Check(Rule.endOfFile, "end of file ends it at once while it stops", .process) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            _ = try talk.openSlowCall()
            stop(talk)
            try talk.listen(context.limits.moment)
            try HandshakeChecks.hangUp(talk)
        },
        Check(Rule.endOfFile, "end of file ends it at once when it has stopped", .process) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            stop(talk)
            try talk.arrive(at: .stopped, context.limits.stop)
            try HandshakeChecks.hangUp(talk)
        },
        Check(Rule.sessionEnd, "the host's abort ends the session, and the process with it", .lifecycle) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let abort = Message.abort(ABIError(.deadlineExceeded, "the conformance kit ends this session"))
            talk.provoke(abort.frame().encoded(), as: "abort")
            if talk.programEnd(within: context.limits.patience) == nil {
                throw .failed(
                    why: "the process went on for \(context.limits.patience) ms after the host's abort",
                    remedy: "exit when abort comes: the session is over, and nobody listens any more")
            }
        },
    ]

    private static func stop(_ talk: PluginTalk) {
        talk.send(.stop(deadline: KitClock.unix() + UInt64(talk.limits.stop)))
    }
}
