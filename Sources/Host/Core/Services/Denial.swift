internal import AuditLog
internal import JSONBytes
internal import PluginABI
internal import Sandbox

/// Something that a plugin was refused, whoever refused it: what it wanted, the rule in its way, and how an admin or
/// the author could allow it. One value for the audit log, the plugin's log and the error of the call.
public struct Denial: Sendable, Equatable {
    public var plugin: String
    public var instance: String
    /// Nil when it belongs to no call.
    public var requestID: String?
    /// Who refused: a host service by its name, `system call`, or `limit`.
    public var service = "unknown"
    static let systemCall = "system call"
    /// `http.fetch GET exchange /api/v3/price`, in the host's words.
    public var what: String
    /// What decided, by its place in the manifest or the host: `permissions.http.fetch "exchange"`.
    public var rule: String
    public var reason: String
    /// The permission that would allow it; nil when none does.
    public var permission: String?
    /// What an admin would type then; nil when nothing would help.
    public var command: String?
    /// What to do instead, where no permission is the answer.
    public var advice: String?

    public init(
        plugin: String, instance: String, requestID: String?, what: String, rule: String, reason: String,
        permission: String?, command: String?
    ) {
        self.plugin = plugin
        self.instance = instance
        self.requestID = requestID
        self.what = what
        self.rule = rule
        self.reason = reason
        self.permission = permission
        self.command = command
    }

    /// How it could be allowed, as the end of a sentence.
    var remedy: String {
        guard let permission else { return advice ?? "no permission allows it" }
        let how = command.map { "; add it to plugin.json and install that with `\($0)`" } ?? ""
        return "\(permission) would allow it" + how
    }

    /// Of denials with the same key one a second stands in the plugin's log.
    var key: String { service == Self.systemCall ? what : rule }

    /// One line of the plugin's log.
    var line: String { "denied \(what) by \(rule): \(reason); \(remedy)" }

    /// What the error of the call adds to the plugin's own words, which may repeat the reason already.
    func addition(to message: String) -> String {
        let why = message.contains(reason) ? "" : ": \(reason)"
        return "; in this call the host denied \(what)\(why); \(remedy)"
    }

    /// The members of an audit entry that are about the denial itself.
    var entry: [(String, JSONValue)] {
        [
            ("what", .string(what)), ("rule", .string(rule)), ("reason", .string(reason)),
            ("permission", JSONValue(permission)), ("command", JSONValue(command)), ("advice", JSONValue(advice)),
        ]
    }

    /// Writes it to the audit log, as far as `counter` still lets it.
    ///
    /// - Parameter context: the call that it belongs to.
    func record(to audit: AuditLog, in context: CallContext?, counter: DenialCounter) {
        let verdict = counter.next()
        guard verdict != .skip else { return }
        let last = "later denials of this \(context == nil ? "instance" : "call") are not recorded"
        let about: [(String, JSONValue)] = [
            ("kind", "denied"), ("request", JSONValue(requestID)), ("actor", JSONValue(context?.caller.actor)),
            ("principal", JSONValue(context?.caller.principal)), ("plugin", .string(plugin)),
            ("instance", .string(instance)), ("tool", JSONValue(context?.tool)), ("service", .string(service)),
            ("more", verdict == .recordAsLast ? .string(last) : .null),
        ]
        _ = try? audit.append(about + entry)
    }
}

extension Denial {
    /// A system call that the jail's filter refused.
    init(_ denial: JailDenial, plugin: String, instance: String, in context: CallContext?) {
        let times = denial.count > 1 ? " (\(denial.count) times)" : ""
        let arguments = denial.detail.isEmpty ? "" : "(\(denial.detail))"
        self.init(
            plugin: plugin, instance: instance, requestID: context?.requestID,
            what: "the system call \(denial.call)\(arguments)\(times)",
            rule: "system call profile \(denial.profile)", reason: denial.reason, permission: nil, command: nil)
        service = Self.systemCall
        advice = denial.advice
    }
}

extension Denial {
    /// A host service that was refused.
    ///
    /// - Parameter known: names of the services there are; a name that a plugin made up may hold a secret.
    init(_ error: ABIError, _ call: Message.HostCall, in context: CallContext, known: [String]) {
        let name = context.plugin.name
        let redact = { (text: String) in context.redactor.redact(text).printable }
        self.init(
            plugin: name, instance: context.instance, requestID: context.requestID, what: "an unknown service",
            rule: "the list of host services", reason: redact(error.message), permission: nil, command: nil)
        guard known.contains(call.service) else { return }
        what = call.service
        service = call.service
        permission = "permissions." + (call.service.hasPrefix("kv.") ? "kv" : call.service)
        rule = permission ?? ""
        command = "nexus plugin install PATH"
        guard call.service == "http.fetch", let request = try? FetchRequest(call.content) else { return }
        what = redact(
            "http.fetch \(request.method.cut(to: 16)) \(request.endpoint.cut(to: 64)) \(request.path.cut(to: 200))")
        guard context.plugin.manifest.permissions.httpFetch.contains(where: { $0.endpoint == request.endpoint }) else {
            return
        }
        rule += " \"\(request.endpoint)\""
        if error.code == .unavailable {
            (rule, permission, command) = ("a quota of the host", nil, nil)
        } else if error.message.contains("--dev-loopback") {
            (rule, permission) = ("the addresses that plugins may reach", "an endpoint that leads to loopback")
            command = "nexus plugin endpoint \(name) \(request.endpoint)=https://HOST:PORT --dev-loopback"
        } else if error.message.contains("public addresses only") {
            (rule, permission, command) = ("the addresses that plugins may reach", nil, nil)
        }
    }
}

extension Denial {
    /// The limit that ended an instance, or one of its processes; nil where none did.
    init?(_ end: JailEnd, plugin: String, instance: String) {
        let wish: (what: String, name: String)
        switch end.cause {
        case .memoryLimit(let bytes): wish = ("more than \(bytes >> 20) MiB of memory", "memoryMegabytes")
        case .processLimit(let count): wish = ("more than \(count) processes and threads", "processes")
        case .fileLimit(let bytes): wish = ("a file of more than \(bytes >> 20) MiB", "temporaryMegabytes")
        case .processorTime, nil: return nil
        }
        let rule = "permissions.resources.\(wish.name)"
        self.init(
            plugin: plugin, instance: instance, requestID: nil, what: wish.what, rule: rule, reason: "\(end)",
            permission: "a higher \(rule)", command: "nexus plugin install PATH")
        service = "limit"
    }
}
