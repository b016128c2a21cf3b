internal import JSONBytes
internal import PluginABI

/// What plugin.json promises, held to what the process does.
enum ManifestChecks {
    static let all: [Check] = [
        Check(Rule.manifestVersions, "hello offers the versions that plugin.json names", .manifest) {
            (context) throws(CheckStop) in
            let manifest = try declared(context)
            let talk = try context.talk(at: .greeted)
            guard talk.offered == manifest.abi else {
                throw .expected(
                    "hello with ABI \(manifest.abi), as in plugin.json",
                    found: "it offers \(talk.offered.map { "\($0)" } ?? "none")", fix: "say the same in both places")
            }
        },
        Check(Rule.declaredTools, "every tool of plugin.json is there", .manifest) { (context) throws(CheckStop) in
            _ = try declared(context)
            let talk = try context.talk(at: .running)
            for call in context.plan.calls {
                let stream = talk.call(call)
                try talk.settle([stream])
                if case .error(let error, _)? = talk.calls[stream]?.ends.first, error.code == .unknownTool {
                    throw .failed(
                        why: "plugin.json declares \(call.tool), and a call of it is answered with unknown-tool",
                        remedy: "serve the tool, or take it out of plugin.json")
                }
            }
            if let name = context.plan.uncallable.first {
                throw .skipped(
                    reason: "no arguments that fit the inputSchema of \(name) were found; write a call of it into "
                        + "conformance.json")
            }
        },
        Check(Rule.outputSchema, "results are what the outputSchema allows", .manifest) { (context) throws(CheckStop) in
            _ = try declared(context)
            let talk = try context.talk(at: .running)
            var judged = 0
            var missing: String?
            let none = "no tool that is called has an outputSchema: nothing to judge"
            for call in context.plan.calls {
                guard let schema = call.outputSchema, let checked = try? JSONSchema(schema) else { continue }
                let stream = talk.call(call)
                try talk.settle([stream])
                guard case .result(let payload)? = talk.calls[stream]?.ends.first else {
                    missing =
                        missing
                        ?? "\(call.tool) ended with \(CallChecks.describe(talk.calls[stream]?.ends.first)); give "
                        + "arguments with which it succeeds in conformance.json"
                    continue
                }
                guard let value = try? JSONValue(parsing: payload.json) else { continue }
                judged += 1
                if let violation = checked.violations(in: value, limit: 1).first {
                    throw .failed(
                        why: "a result of \(call.tool) breaks its outputSchema at \(violation)",
                        remedy: "return what the schema says, or correct the schema")
                }
            }
            if let reason = missing ?? (judged == 0 ? none : nil) { throw .skipped(reason: reason) }
        },
    ]

    private static func declared(_ context: CheckContext) throws(CheckStop) -> PluginManifest {
        guard let manifest = context.plan.manifest else { throw .skipped(reason: CallPlan.howToNameCalls) }
        return manifest
    }
}
