// The whole story of a call, one stage after the other. Each stage is a call into the folder that owns it; no audit
// intent written, no call made; and a credential exists in the clear only between `bind` and the end of this function.
public import AuditLog
internal import JSONBytes
internal import PluginABI

/// Takes a tool call from whoever makes it to the jailed plugin and back.
public struct CallPipeline: Sendable {
    private let authenticator: Authenticator
    private let catalog: PluginCatalog
    private let policy: Policy
    private let secrets: SecretStore
    private let audit: AuditLog
    private let supervisor: Supervisor
    private let metrics: HostMetrics

    public init(
        authenticator: Authenticator, catalog: PluginCatalog, policy: Policy, secrets: SecretStore, audit: AuditLog,
        supervisor: Supervisor, metrics: HostMetrics = HostMetrics()
    ) {
        self.authenticator = authenticator
        self.catalog = catalog
        self.policy = policy
        self.secrets = secrets
        self.audit = audit
        self.supervisor = supervisor
        self.metrics = metrics
    }

    /// - Throws: `HostError` whose message the caller can act on.
    public func call(_ request: ToolRequest) async throws(HostError) -> ToolResult {
        var record = CallRecord(request, metrics: metrics)
        do throws(HostError) {
            let caller = try authenticator.caller(request.presented)
            record.caller = caller
            record.enter(.resolve)
            let (plugin, tool) = try catalog.tool(request.tool)
            record.plugin = plugin.name
            record.enter(.validate)
            try validate(request.arguments, against: tool)
            record.enter(.policy)
            switch policy.decide(caller, tool: tool, of: plugin) {
            case .allow(let rule): record.rule = rule
            case .deny(let rule, let reason):
                record.rule = rule
                throw HostError(.forbidden, reason)
            }
            record.enter(.bind)
            let bound = try bind(tool, of: plugin, for: caller)
            defer { bound.sealed?.drop() }
            record.credentials = bound.masked
            let patience = min(request.milliseconds ?? HostLimits.callMilliseconds, HostLimits.callMilliseconds)
            let due = Clock.monotonicNanoseconds() + patience * 1_000_000
            // A process that serves this caller: there, started, or waited for.
            record.enter(.instance)
            return try await supervisor.withInstance(of: plugin, for: caller, before: due) {
                (instance) throws(HostError) in
                record.found(instance)
                instance.learn(bound.all)
                let call = Message.Call(
                    tool: tool.name, arguments: request.arguments,
                    deadline: Clock.unixMilliseconds() + Clock.millisecondsLeft(until: due),
                    requestID: record.requestID,
                    credentials: bound.credentials, traceparent: "\(record.trace)", tracestate: record.trace.state)
                let context = CallContext(
                    requestID: record.requestID, caller: caller, plugin: plugin, instance: instance.id,
                    tool: tool.name, due: due, redactor: instance.redactor, sealed: bound.sealed,
                    note: { instance.note($0) },
                    progress: CallProgress.relay(to: request.progress, redactor: instance.redactor),
                    stream: tool.content == nil ? nil : request.stream)
                try record.writeIntent(to: audit)
                record.enter(.plugin)
                let answer = await instance.session.call(call, in: context)
                // The log sees what the agent sees.
                switch answer {
                case .success(let payload):
                    record.enter(.redact)
                    let result = try result(payload, of: tool, from: instance, record.identity)
                    try record.writeOutcome("ok", to: audit)
                    return result
                case .failure(let error): throw explain(error, from: instance, context)
                }
            }
        } catch {
            try record.writeFailure(error, to: audit)
            throw record.signed(error)
        }
    }

    /// Credentials of the call. What is missing is named, so that a surface can ask the user for it.
    private func bind(
        _ tool: PluginManifest.Tool, of plugin: InstalledPlugin, for caller: Caller
    ) throws(HostError) -> BoundCredentials {
        do throws(HostError) {
            return try BoundCredentials.bind(tool, of: plugin, for: caller, from: secrets)
        } catch let refusal {
            guard refusal.code == .credentialMissing else { throw refusal }
            var error = refusal
            error.missing = try MissingCredentials.of(tool, of: plugin, for: caller, in: secrets)
            throw error
        }
    }

    private func validate(_ arguments: [UInt8], against tool: PluginManifest.Tool) throws(HostError) {
        guard arguments.count <= HostLimits.argumentBytes else {
            throw HostError(
                .invalidArguments,
                "the arguments have \(arguments.count) bytes; the limit is \(HostLimits.argumentBytes)")
        }
        let violations: [JSONSchema.Violation]
        do {
            violations = try JSONSchema(tool.inputSchema).violations(in: try JSONValue(parsing: arguments))
        } catch {
            throw HostError(.invalidArguments, "the arguments of \(tool.name) are not valid JSON: \(error)")
        }
        guard violations.isEmpty else {
            let list = violations.map(\.description).joined(separator: "; ")
            throw HostError(.invalidArguments, "the arguments do not fit \(tool.name): \(list)")
        }
    }

    private func explain(_ error: HostError, from instance: PluginInstance, _ context: CallContext) -> HostError {
        var error = error
        // Of a plugin that answered itself; one that is gone has a cause of its own.
        if instance.cause == nil, let denial = context.denials.last {
            error.message += denial.addition(to: error.message)
        }
        error.message = instance.redactor.redact(error.message)
        error.code = HostError.Code(instance.redactor.redact(error.code.rawValue))
        return error
    }

    /// What the caller gets, once it is known to be what the plugin's manifest promises.
    private func result(
        _ payload: Message.Payload, of tool: PluginManifest.Tool, from instance: PluginInstance, _ call: CallIdentity
    ) throws(HostError) -> ToolResult {
        var result = ToolResult(json: instance.redactor.redact(json: payload.json), call: call)
        try check(result, of: tool, from: instance)
        guard !payload.bytes.isEmpty else { return result }
        guard let mediaType = tool.content else { throw refuse(.undeclaredBytes(tool.name), instance, call) }
        result.content = ToolContent(mediaType: mediaType, bytes: instance.redactor.redact(bytes: payload.bytes))
        return result
    }

    private func refuse(_ diagnosis: Diagnosis, _ instance: PluginInstance, _ call: CallIdentity) -> HostError {
        instance.note(diagnosis, request: call.requestID)
        return HostError(.pluginFailed, "the plugin \(instance.plugin.name) failed: \(diagnosis.forCaller)")
    }

    /// What agents were promised is what they get (MCP: results MUST conform to the output schema).
    private func check(
        _ result: ToolResult, of tool: PluginManifest.Tool, from instance: PluginInstance
    ) throws(HostError) {
        guard let schema = tool.outputSchema else { return }
        let violations: [JSONSchema.Violation]
        do {
            violations = try JSONSchema(schema).violations(in: try JSONValue(parsing: result.json))
        } catch {
            throw HostError(.pluginFailed, "the output schema of \(tool.name) cannot be used: \(error)")
        }
        guard violations.isEmpty else {
            throw refuse(.breaksOutputSchema(tool.name, violations), instance, result.call)
        }
    }
}
