internal import AuditLog
internal import Egress
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
    /// Who refused: a host service by its name, `system call`, `path`, or `limit`.
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
    /// How many refusals it stands for.
    public var count = 1
    /// The name of the refused system call; empty for other services.
    public var call = ""
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

    /// What it is counted under where it is not recorded itself.
    var kind: String { call.isEmpty ? service : "\(service) \(call)" }

    /// Of denials with the same key one a second stands in the plugin's log.
    var key: String { [Self.systemCall, "path"].contains(service) ? what : rule }

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
        let about: [(String, JSONValue)] = [
            ("kind", "denied"), ("request", JSONValue(requestID)), ("actor", JSONValue(context?.caller.actor)),
            ("principal", JSONValue(context?.caller.principal)), ("plugin", .string(plugin)),
            ("instance", .string(instance)), ("tool", JSONValue(context?.tool)),
        ]
        let verdict = counter.next(self) { skipped in
            let counts = skipped.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSONValue($0.value)) }
            let total = skipped.values.reduce(0, +)
            _ = try? audit.append(
                about + [
                    ("what", .string("\(total) more denials, which were counted only")),
                    ("counts", .object(JSONObject(counts))),
                ])
        }
        guard verdict != .skip else { return }
        let last = "later denials of this \(context == nil ? "instance" : "call") are counted, and told at its end"
        let more: (String, JSONValue) = ("more", verdict == .recordAsLast ? .string(last) : .null)
        _ = try? audit.append(about + [("service", .string(service)), more] + entry)
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
        (count, call) = (denial.count, denial.call)
        guard denial.isPath else { return }
        (service, call) = ("path", "")
        what = "\(denial.call) \(denial.detail)"
        rule = "the files of the jail"
    }

    /// Without what the plugin was lent: it may have put that into a path.
    func redacted(by redactor: Redactor) -> Denial {
        var copy = self
        copy.what = redactor.redact(what).printable
        return copy
    }
}

extension Denial {
    /// A host service that was refused.
    ///
    /// - Parameter known: names of the services there are; a name that a plugin made up may hold a secret.
    init(_ failure: ServiceFailure, _ call: Message.HostCall, in context: CallContext, known: [String]) {
        let name = context.plugin.name
        let redact = { (text: String) in context.redactor.redact(text).printable }
        self.init(
            plugin: name, instance: context.instance, requestID: context.requestID, what: "an unknown service",
            rule: "the list of host services", reason: redact(failure.error.message), permission: nil, command: nil)
        guard known.contains(call.service) else { return }
        what = call.service
        service = call.service
        permission = "permissions." + (call.service.hasPrefix("kv.") ? "kv" : call.service)
        rule = permission ?? ""
        command = "nexus plugin install PATH"
        guard let wish = Wish(call, of: context.plugin) else { return }
        what = redact(wish.words)
        guard wish.isDeclared else { return }
        rule += " \"\(wish.endpoint)\""
        switch failure.rule {
        case .quota: (rule, permission, command) = ("a quota of the host", nil, nil)
        case .loopback:
            (rule, permission) = ("the addresses that plugins may reach", "an endpoint that leads to loopback")
            command = "nexus plugin endpoint \(name) \(wish.endpoint)=\(wish.form) --dev-loopback"
        case .address: (rule, permission, command) = ("the addresses that plugins may reach", nil, nil)
        case .request: (permission, command, advice) = (nil, nil, "send the request without it")
        case .name, .notAllowed, .unreachable, nil: break
        }
    }

    /// What a call of one of the services of egress is about.
    private struct Wish {
        var words: String
        /// As `nexus plugin endpoint` names it.
        var endpoint: String
        var isDeclared: Bool
        /// Where an admin would lead it.
        var form: String

        init?(_ call: Message.HostCall, of plugin: InstalledPlugin) {
            let permissions = plugin.manifest.permissions
            if call.service == "http.fetch", let request = try? FetchRequest(call.content) {
                let about = "\(request.method.cut(to: 16)) \(request.endpoint.cut(to: 64)) \(request.path.cut(to: 200))"
                (words, endpoint, form) = ("http.fetch \(about)", request.endpoint, "https://HOST:PORT")
                isDeclared = permissions.httpFetch.contains { $0.endpoint == request.endpoint }
            } else if call.service == "net.connect", let request = try? ConnectRequest(call.content) {
                let place = "\(request.host.cut(to: 200)):\(request.port)"
                (words, form) = ("net.connect \(place)", "HOST:PORT")
                endpoint = (try? EgressTarget(place).description) ?? place
                isDeclared = permissions.netConnect.contains { [endpoint] in "\($0.host):\($0.port)" == endpoint }
            } else {
                return nil
            }
        }
    }
}

extension Denial {
    /// An instance that was held back by its share of a processor; nil for one that was not.
    init?(throttled end: JailEnd, percent: Int?, plugin: String, instance: String) {
        guard end.throttledPeriods > 0, let percent else { return nil }
        let rule = "permissions.resources.cpuPercent"
        self.init(
            plugin: plugin, instance: instance, requestID: nil, what: "more than \(percent) % of a processor",
            rule: rule,
            reason: "held back in \(end.throttledPeriods) periods of 100 ms", permission: "a higher \(rule)",
            command: "nexus plugin install PATH")
        service = "limit"
    }

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
