internal import PluginABI

/// abi-v1.md section 7.2: `cancel` asks; exactly one terminal frame answers.
enum CancelChecks {
    static let all: [Check] = [
        Check(Rule.cancel, "a running call that is cancelled ends", .cancelling) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try talk.openSlowCall()
            talk.send(.cancel(reason: "conformance"), on: stream)
            try talk.expect(
                "a terminal frame after cancel", fix: "let the work see the cancel, and answer with cancelled"
            ) { talk.ended([stream]) }
        },
        Check(Rule.cancelTwice, "cancel may come any number of times", .cancelling) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let stream = try talk.openSlowCall()
            for _ in 0..<3 { talk.send(.cancel(reason: "conformance"), on: stream) }
            guard try talk.wait(context.limits.patience, until: { talk.ended([stream]) || talk.isClosed }) else {
                throw .unreachable(
                    requirement: Rule.cancel, why: "no terminal frame after cancel: \(talk.found)",
                    remedy: "let the work see the cancel")
            }
            try talk.listen(context.limits.moment)
            guard try talk.isAlive() || talk.stateAborted?.code == .unknownStream else {
                throw .expected(
                    "the session to go on after three cancels", found: talk.found,
                    fix: "take a cancel of a call that is already cancelled or over as nothing")
            }
        },
        Check(Rule.cancel, "queued calls that are cancelled end too", .cancelling) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            var streams = [try talk.openSlowCall()]
            for _ in 0..<3 {
                guard let slow = context.plan.slow else { break }
                streams.append(talk.call(slow, within: 60_000))
            }
            for stream in streams.reversed() { talk.send(.cancel(reason: "conformance"), on: stream) }
            try talk.expect(
                "a terminal frame for each of \(streams.count) cancelled calls",
                fix: "read cancel while another call runs, and answer the calls that wait as well"
            ) { talk.ended(streams) }
        },
        Check(Rule.late, "cancel and credit after the end are late: dropped, nothing more", .cancelling) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            let stream = talk.call(call)
            try talk.settle([stream])
            talk.send(.cancel(reason: "too late"), on: stream)
            talk.send(.credit(bytes: 1), on: stream)
            guard try talk.isAlive() else {
                throw .expected(
                    "late frames to be dropped", found: talk.found,
                    fix: "drop frames for streams up to the highest that was opened")
            }
        },
        Check(Rule.oneEnd, "a call has one terminal frame, also when cancel crosses it", .cancelling) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            var streams: [UInt64] = []
            for _ in 0..<8 {
                streams.append(talk.call(call))
                if let last = streams.last { talk.send(.cancel(reason: "crossing"), on: last) }
            }
            do throws(CheckStop) { try talk.settle(streams) } catch {
                guard talk.stateAborted?.code == .unknownStream else { throw error }
                throw .unreachable(
                    requirement: Rule.late, why: "cancel of a call that had just ended was refused: \(talk.found)",
                    remedy: "drop frames for streams up to the highest that was opened")
            }
            try talk.listen(context.limits.moment)
            let twice = streams.filter { (talk.calls[$0]?.ends.count ?? 0) > 1 }
            if !twice.isEmpty {
                throw .failed(
                    why: "\(twice.count) of 8 calls got more than one terminal frame",
                    remedy: "forget a call with its first terminal frame")
            }
        },
        Check(Rule.unknownStream, "a frame for a stream that was never opened ends the session", .cancelling) {
            (context) throws(CheckStop) in
            let strays: [(Message, UInt64)] = [
                (.cancel(reason: "stray"), 99), (.result(Message.Payload(json: Array("{}".utf8))), 98),
                (.credit(bytes: 1), 97),
            ]
            for (message, stream) in strays {
                let talk = try context.talk(at: .running)
                talk.provoke(message.frame(stream: stream).encoded(), as: "\(message.kind) \(stream)")
                try talk.expectAbort(.unknownStream, after: "\(message.kind) on stream \(stream)")
            }
        },
        Check(Rule.streamOrder, "a call on a number that does not rise ends the session", .cancelling) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            talk.nextStream = 5
            try talk.settle([talk.call(call)])
            let stale = Message.Call(
                tool: call.tool, arguments: call.arguments, deadline: KitClock.unix() + 5_000, requestID: "stale")
            talk.provoke(Message.call(stale).frame(stream: 3).encoded(), as: "call 3")
            try talk.expectAbort(.unknownStream, after: "a call on stream 3 after one on stream 5")
        },
    ]
}
