internal import JSONBytes
internal import PluginABI

/// abi-v1.md section 7.1, and what the manifest says of tools.
enum CallChecks {
    static let all: [Check] = [
        Check(Rule.answer, "every tool answers a call", .calls) { (context) throws(CheckStop) in
            guard !context.plan.calls.isEmpty else { throw .skipped(reason: CallPlan.howToNameCalls) }
            let talk = try context.talk(at: .running)
            for call in context.plan.calls {
                let stream = talk.call(call)
                try talk.expect(
                    "a terminal frame for a call of \(call.tool)", fix: "answer each call: result, error or cancelled",
                    within: context.limits.call
                ) { talk.ended([stream]) }
            }
        },
        Check(Rule.interleaved, "many calls at once are each answered, with pings between them", .calls) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            var streams: [UInt64] = []
            for number in 0..<16 {
                streams.append(talk.call(call))
                talk.send(.ping(nonce: UInt64(number)))
            }
            try talk.settle(streams)
            try talk.expect("16 pongs", fix: "answer every ping with its nonce") { Set(talk.pongs).count >= 16 }
        },
        Check(Rule.answer, "a call whose deadline has passed is still answered", .calls) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            let stream = talk.call(call, within: -5_000)
            talk.send(.cancel(reason: "the deadline has passed"), on: stream)
            try talk.expect(
                "a terminal frame for a call whose deadline has passed",
                fix: "answer it: cancelled, or what came of it",
                within: context.limits.call
            ) { talk.ended([stream]) }
        },
        Check(Rule.unknownTool, "an unknown tool is answered with unknown-tool, and the session goes on", .calls) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            let call = PlannedCall(tool: "conformance-no-such-tool", arguments: Array("{}".utf8))
            let stream = talk.call(call)
            try talk.expect("an error for an unknown tool", fix: "answer with the code unknown-tool") {
                talk.ended([stream])
            }
            guard case .error(let error, _)? = talk.calls[stream]?.ends.first, error.code == .unknownTool else {
                throw .expected(
                    "error unknown-tool", found: "the call ended with \(describe(talk.calls[stream]?.ends.first))",
                    fix: "answer a tool that you do not have with the code unknown-tool")
            }
            guard try talk.isAlive() else {
                throw .expected("the session to go on", found: talk.found, fix: "an unknown tool ends its call only")
            }
        },
        Check(Rule.arguments, "arguments that do not fit end their call, not the session", .calls) {
            (context) throws(CheckStop) in
            try misfits(context)
        },
        Check(Rule.trace, "a trace context is taken, also one that is not well formed", .calls) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            try talk.settle([talk.call(call)])
            let parents = ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "not-a-trace-context"]
            for parent in parents {
                let stream = talk.call(call, traceparent: parent, tracestate: "nexus=1")
                try talk.expect(
                    "an answer to a call with traceparent \(parent)",
                    fix: "ignore what you do not use of a call's fields",
                    within: context.limits.call
                ) { talk.ended([stream]) }
            }
        },
        Check(Rule.payload, "bytes come only from tools that declare their media type", .calls) {
            (context) throws(CheckStop) in
            try payloads(context)
        },
    ]

    private static func misfits(_ context: CheckContext) throws(CheckStop) {
        let calls = context.plan.calls.filter { $0.inputSchema != nil }
        var tried = 0
        let talk = try context.talk(at: .running)
        for var call in calls {
            guard let schema = call.inputSchema, let wrong = ExampleValue.unfit(for: schema) else { continue }
            // With arguments that fit first: a tool that answers nothing at all is another requirement's failure.
            try talk.settle([talk.call(call)])
            call.arguments = wrong.encoded()
            tried += 1
            let stream = talk.call(call)
            try talk.expect(
                "\(call.tool) to answer arguments that do not fit", fix: "answer invalid-arguments and go on",
                within: context.limits.call
            ) { talk.ended([stream]) }
            guard try talk.isAlive() else {
                throw .expected("the session to go on", found: talk.found, fix: "wrong arguments end their call only")
            }
        }
        if tried == 0 {
            throw .skipped(reason: calls.isEmpty ? CallPlan.howToNameCalls : "the tools take any arguments")
        }
    }

    private static func payloads(_ context: CheckContext) throws(CheckStop) {
        guard context.plan.manifest != nil else { throw .skipped(reason: CallPlan.howToNameCalls) }
        let talk = try context.talk(at: .running)
        var total = 0
        for call in context.plan.calls + [context.plan.stream].compactMap({ $0 }) {
            let stream = talk.call(call)
            try talk.settle([stream])
            var bytes = talk.calls[stream]?.dataBytes ?? 0
            if case .result(let payload)? = talk.calls[stream]?.ends.first { bytes += payload.bytes.count }
            total += bytes
            if bytes > 0, !call.declaresContent {
                throw .failed(
                    why: "\(call.tool) answered with \(bytes) bytes, and plugin.json gives them no media type",
                    remedy: "declare \"content\" for the tool, such as \"text/plain\"")
            }
        }
        if total == 0 { throw .skipped(reason: "no call answered with bytes or data: nothing to judge") }
    }

    static func describe(_ end: CallEnd?) -> String {
        switch end {
        case .result: "result"
        case .error(let error, _): "error \(error.code)"
        case .cancelled: "cancelled"
        case nil: "nothing"
        }
    }
}
