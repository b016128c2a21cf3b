internal import PluginABI

/// abi-v1.md sections 7.4, 8 and 9.1: host services and credentials, where the plugin uses them.
enum ServiceChecks {
    static func all(_ plan: CallPlan) -> [Check] {
        (usesServices(plan) ? services + StrictnessChecks.services : [])
            + (plan.calls.contains { !$0.credentials.isEmpty } ? credentials : [])
    }

    private static func usesServices(_ plan: CallPlan) -> Bool {
        guard let manifest = plan.manifest else { return false }
        let permissions = manifest.permissions
        return !permissions.httpFetch.isEmpty || !permissions.netConnect.isEmpty || plan.usesKV
    }

    private static let services: [Check] = [
        Check(Rule.denied, "a service that is denied does not keep its call from ending", .services) {
            (context) throws(CheckStop) in
            try serve(context, .deny)
        },
        Check(Rule.answer, "a service that is cancelled does not keep its call from ending", .services) {
            (context) throws(CheckStop) in
            try serve(context, .cancel)
        },
        Check(Rule.cancel, "a call that waits for a service can be cancelled", .services) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            talk.hostCallPolicy = .ignore
            let stream = try askingCall(talk)
            talk.send(.cancel(reason: "conformance"), on: stream)
            try talk.expect(
                "a terminal frame for a call that was cancelled while it waited for a service",
                fix: "let cancel wake what waits for the host"
            ) { talk.ended([stream]) }
        },
    ]

    private static func serve(_ context: CheckContext, _ policy: HostCallPolicy) throws(CheckStop) {
        let talk = try context.talk(at: .running)
        talk.hostCallPolicy = policy
        let stream = try askingCall(talk)
        try talk.expect(
            "a terminal frame once the service had answered", fix: "turn the service's error into one of your own",
            within: context.limits.call
        ) { talk.ended([stream]) }
        guard try talk.isAlive() else {
            throw .expected("the session to go on", found: talk.found, fix: "a refused service ends its call only")
        }
    }

    /// The first call that asks the host for something.
    static func askingCall(_ talk: PluginTalk) throws(CheckStop) -> UInt64 {
        for call in talk.plan.calls {
            let before = talk.hostCallCount
            let stream = talk.call(call)
            _ = try talk.wait(talk.limits.call) { talk.ended([stream]) || talk.hostCallCount > before }
            if talk.hostCallCount > before { return stream }
        }
        throw .skipped(
            reason:
                "plugin.json declares a host service and no call used one; give arguments that do in conformance.json")
    }

    private static let credentials: [Check] = [
        Check(Rule.noLeak, "credentials do not come back: results, errors, logs, data, stdout, stderr", .credentials) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            for call in context.plan.calls where !call.credentials.isEmpty {
                try talk.settle([talk.call(call)])
                // Once more, with arguments that fail: errors leak more often than results.
                var broken = call
                broken.arguments = Array("{\"conformance-unknown-argument\":true}".utf8)
                try talk.settle([talk.call(broken)])
            }
            let canaries = talk.canaries
            context.finish()
            if canaries.isEmpty { throw .skipped(reason: "no tool takes a credential") }
            if let note = context.notes.notes[Rule.noLeak] { throw .failed(why: note.why, remedy: note.remedy) }
        },
        Check(Rule.answer, "a call without its credentials is answered, and the session goes on", .credentials) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            for call in context.plan.calls where !call.credentials.isEmpty {
                let stream = talk.call(call, credentials: false)
                try talk.expect(
                    "an answer to \(call.tool) without its credentials", fix: "answer with credential-missing",
                    within: context.limits.call
                ) { talk.ended([stream]) }
            }
            guard try talk.isAlive() else {
                throw .expected("the session to go on", found: talk.found, fix: "answer with credential-missing")
            }
        },
    ]
}
