internal import PluginABI

/// abi-v1.md section 6: states, deadlines, health.
enum LifecycleChecks {
    static let all: [Check] = [
        Check(Rule.states, "a whole life: started, stopped, started again, stopped, disposed of", .lifecycle) {
            (context) throws(CheckStop) in
            let talk = try context.talk()
            try owned {
                () throws(CheckStop) in
                try talk.reach(.running)
                for round in 1...2 {
                    talk.send(.stop(deadline: KitClock.unix() + UInt64(context.limits.stop)))
                    try talk.arrive(at: .stopped, context.limits.stop)
                    guard round == 1 else { break }
                    talk.send(.start)
                    try talk.arrive(at: .running, context.limits.start)
                }
                talk.send(.dispose)
                try talk.arrive(at: .disposed, context.limits.patience)
            }
            if talk.programEnd(within: context.limits.patience) == nil {
                throw .failed(why: "the process went on after disposed", remedy: "exit with 0 once disposed is sent")
            }
        },
        Check(Rule.states, "dispose straight after welcome", .lifecycle) { (context) throws(CheckStop) in
            try dispose(try context.talk(at: .welcomed))
        },
        Check(Rule.states, "dispose after initialized", .lifecycle) { (context) throws(CheckStop) in
            try dispose(try context.talk(at: .initialized))
        },
        Check(Rule.stoppedLast, "stop with calls in flight: each ends, then stopped, by the deadline", .lifecycle) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let calls = [try talk.openSlowCall(), try talk.openSlowCall()]
            let milliseconds = context.limits.stop
            talk.send(.stop(deadline: KitClock.unix() + UInt64(milliseconds)))
            try talk.expect(
                "stopped within \(milliseconds) ms, the deadline of stop",
                fix: "end calls that would take longer with unavailable, then send stopped", within: milliseconds
            ) { talk.lifecycle.state == .stopped }
            let open = calls.filter { talk.calls[$0]?.ends.isEmpty == true }
            if !open.isEmpty {
                throw .failed(
                    why: "stopped came while \(open.count) of 2 calls were open",
                    remedy: "send stopped only after the terminal frame of every call")
            }
        },
        Check(Rule.ping, "ping is answered in every state", .lifecycle) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .greeted)
            let states: [LifecycleState] = [.greeted, .welcomed, .initialized, .running, .stopped]
            for (number, state) in states.enumerated() {
                if state == .stopped {
                    talk.send(.stop(deadline: KitClock.unix() + UInt64(context.limits.stop)))
                    try talk.arrive(at: .stopped, context.limits.stop)
                } else {
                    try talk.reach(state)
                }
                try pong(talk, UInt64.max - UInt64(number), "while the plugin is \(state.rawValue)")
            }
        },
        Check(Rule.ping, "ping is answered while a call runs", .lifecycle) { (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let call = try talk.openSlowCall()
            try pong(talk, 7, "while a call runs")
            if talk.ended([call]) {
                throw .skipped(reason: "the slow tool ended before the ping: let it run for ten seconds")
            }
        },
        Check(Rule.states, "messages out of their state are refused", .lifecycle) { (context) throws(CheckStop) in
            try refusals(context, misplaced: false)
        },
        Check(Rule.places, "messages of the wrong side or on the wrong stream are refused", .lifecycle) {
            (context) throws(CheckStop) in
            try refusals(context, misplaced: true)
        },
    ]

    /// In the check whose point the lifecycle is, not to get there is the failure.
    private static func owned(_ body: () throws(CheckStop) -> Void) throws(CheckStop) {
        do throws(CheckStop) {
            try body()
        } catch .unreachable(Rule.states, let why, let remedy) {
            throw .failed(why: why, remedy: remedy)
        }
    }

    private static func dispose(_ talk: PluginTalk) throws(CheckStop) {
        talk.send(.dispose)
        try talk.expect("disposed", fix: "dispose may come in the states welcomed, initialized and stopped") {
            talk.lifecycle.state == .disposed
        }
        if talk.programEnd(within: talk.limits.patience) == nil {
            throw .failed(why: "the process went on after disposed", remedy: "exit with 0 once disposed is sent")
        }
    }

    private static func pong(_ talk: PluginTalk, _ nonce: UInt64, _ when: String) throws(CheckStop) {
        talk.send(.ping(nonce: nonce))
        try talk.expect(
            "a pong with the nonce \(nonce) \(when)",
            fix: "answer ping from the loop that reads, with its nonce; let calls run elsewhere"
        ) { talk.pongs.contains(nonce) }
    }

    private static func refusals(_ context: CheckContext, misplaced: Bool) throws(CheckStop) {
        let strays = Stray.all.filter { $0.misplaced == misplaced }
        for stray in strays.prefix(max(context.limits.framesPerClass, 3)) {
            let talk = try context.talk(at: stray.state)
            talk.provoke(
                stray.message.frame(stream: stray.stream).encoded(), as: "\(stray.message.kind) \(stray.stream)")
            try talk.expectAbort(
                .unexpectedMessage, after: "\(stray.message.kind) on stream \(stray.stream), \(stray.state.rawValue)")
        }
    }
}

/// A well-formed frame where it does not belong.
private struct Stray {
    var message: Message
    var stream: UInt64 = 0
    var state: LifecycleState
    /// Wrong by its sender or stream, not by the state.
    var misplaced = false

    private static let call = Message.call(
        Message.Call(tool: "conformance", arguments: Array("{}".utf8), deadline: 4_000_000_000_000, requestID: "stray"))

    static let all: [Stray] = [
        Stray(message: .start, state: .welcomed),
        Stray(message: call, stream: 1, state: .initialized),
        Stray(message: .initialize(configuration: Array("{}".utf8)), state: .running),
        Stray(message: .welcome(version: 1, instance: "again", bodyLimit: 1 << 22), state: .welcomed),
        Stray(message: .stop(deadline: 4_000_000_000_000), state: .initialized),
        Stray(message: .dispose, state: .running),
        Stray(message: .start, state: .running),
        Stray(message: .initialize(configuration: Array("{}".utf8)), state: .greeted),
        Stray(message: call, stream: 2, state: .running, misplaced: true),
        Stray(message: .started, state: .running, misplaced: true),
        Stray(message: .ping(nonce: 1), stream: 1, state: .running, misplaced: true),
        Stray(message: call, stream: 0, state: .running, misplaced: true),
        Stray(message: .hello(versions: .supported, name: "host", sdk: nil), state: .running, misplaced: true),
        Stray(
            message: .log(Message.LogRecord(level: .info, message: "not mine")), state: .running, misplaced: true),
        Stray(message: .cancel(reason: "not mine"), stream: 2, state: .running, misplaced: true),
    ]
}
