// What crosses here: requests of local users over the Unix socket. The kernel has named the user; only administrators
// of the host may do more than call tools.
public import AuditLog
internal import HostAPI
public import HostCore
internal import JSONBytes
internal import Logging
internal import PluginABI
internal import Registry

/// The admin API: decode, ask the core, encode.
public struct AdminAPI: Sendable {
    let authenticator: Authenticator
    let catalog: PluginCatalog
    let supervisor: Supervisor
    let pipeline: CallPipeline
    let secrets: SecretStore
    let tokens: TokenStore
    let audit: AuditLog
    let incidents: IncidentRecorder
    let metrics: HostMetrics
    let facts: HostFacts
    let requests: SecretRequests?
    let shutDown: @Sendable () async -> Void

    public init(
        authenticator: Authenticator, catalog: PluginCatalog, supervisor: Supervisor, pipeline: CallPipeline,
        secrets: SecretStore, tokens: TokenStore, audit: AuditLog, incidents: IncidentRecorder, metrics: HostMetrics,
        facts: HostFacts, requests: SecretRequests? = nil,
        shutDown: @escaping @Sendable () async -> Void
    ) {
        self.authenticator = authenticator
        self.catalog = catalog
        self.supervisor = supervisor
        self.pipeline = pipeline
        self.secrets = secrets
        self.tokens = tokens
        self.audit = audit
        self.incidents = incidents
        self.metrics = metrics
        self.facts = facts
        self.requests = requests
        self.shutDown = shutDown
    }

    /// One request in a handler's hands.
    struct Call {
        var request: WireRequest
        var caller: Caller
        /// What stood at the route's placeholders.
        var names: [String]
    }

    struct Route: Sendable {
        var method: String
        /// Segments; `*` stands for any one.
        var path: String
        var needsAdministrator: Bool
        var handler: @Sendable (AdminAPI) -> (Call) async throws(HostError) -> WireResponse

        init(
            _ method: String, _ path: String, administrator: Bool = true,
            _ handler: @escaping @Sendable (AdminAPI) -> (Call) async throws(HostError) -> WireResponse
        ) {
            self.method = method
            self.path = path
            needsAdministrator = administrator
            self.handler = handler
        }
    }

    static let logger = Logger(label: "nexus.admin")

    static let routes: [Route] = [
        Route("GET", APIPath.status) { $0.status },
        Route("POST", APIPath.shutDown) { $0.stopHost },
        Route("POST", APIPath.reload) { $0.reload },
        Route("GET", APIPath.plugins) { $0.listPlugins },
        Route("POST", APIPath.plugins) { $0.installPlugin },
        Route("GET", "/v1/plugins/*") { $0.showPlugin },
        Route("DELETE", "/v1/plugins/*") { $0.removePlugin },
        Route("GET", "/v1/plugins/*/log") { $0.readLog },
        Route("POST", "/v1/plugins/*/upgrade") { $0.upgradePlugin },
        Route("POST", "/v1/plugins/*/start") { $0.startPlugin },
        Route("POST", "/v1/plugins/*/stop") { $0.stopPlugin },
        Route("PUT", "/v1/plugins/*/endpoints/*") { $0.setEndpoint },
        Route("DELETE", "/v1/plugins/*/endpoints/*") { $0.resetEndpoint },
        Route("PUT", "/v1/plugins/*/credentials/*") { $0.setGrant },
        Route("PUT", "/v1/plugins/*/isolation") { $0.setIsolation },
        Route("GET", APIPath.grants) { $0.listGrants },
        Route("GET", APIPath.incidents) { $0.listIncidents },
        Route("GET", "/v1/incidents/*") { $0.showIncident },
        Route("GET", APIPath.tools, administrator: false) { $0.listTools },
        Route("POST", "/v1/tools/*/call", administrator: false) { $0.callTool },
        Route("GET", APIPath.secrets) { $0.listSecrets },
        Route("PUT", APIPath.secrets) { $0.setSecret },
        Route("DELETE", APIPath.secrets) { $0.removeSecret },
        Route("GET", APIPath.secretVersions) { $0.showSecret },
        Route("POST", APIPath.secretRollback) { $0.rollBackSecret },
        Route("POST", APIPath.masterKey) { $0.rotateMaster },
        Route("POST", APIPath.acceptSecrets) { $0.acceptSecrets },
        Route("POST", APIPath.secretImport) { $0.importSecret },
        Route("POST", APIPath.secretForms) { $0.openForm },
        Route("GET", "/v1/secret-forms/*") { $0.watchForm },
        Route("DELETE", "/v1/secret-forms/*") { $0.closeForm },
        Route("GET", APIPath.tokens) { $0.listTokens },
        Route("POST", APIPath.tokens) { $0.createToken },
        Route("DELETE", "/v1/tokens/*") { $0.revokeToken },
        Route("GET", APIPath.audit) { $0.tailAudit },
        Route("GET", APIPath.ledger) { $0.showLedger },
        Route("GET", APIPath.metrics) { $0.showMetrics },
    ]

    public func respond(to request: WireRequest) async -> WireResponse {
        do throws(HostError) {
            let caller = try authenticator.caller(request.presented)
            for route in Self.routes where route.method == request.method {
                guard let names = Self.match(route.path, request.path) else { continue }
                guard caller.isAdministrator || !route.needsAdministrator else {
                    throw HostError(
                        .forbidden,
                        "\(caller.actor) may not administer this host; its owner or root may: run as one of them")
                }
                // Who administers is whom the kernel names: a token that comes along is for calling tools.
                let peer = Presented(peerUserID: request.presented.peerUserID)
                let caller = route.needsAdministrator ? try authenticator.caller(peer) : caller
                return try await route.handler(self)(Call(request: request, caller: caller, names: names))
            }
            return Self.failure(
                404, "not-found",
                "\(request.method) \(String(String.UnicodeScalarView(request.path.unicodeScalars.prefix(100)))) "
                    + "is not part of the API"
            )
        } catch {
            return Self.failure(error)
        }
    }

    /// The placeholders' values if the path fits.
    static func match(_ pattern: String, _ path: String) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        let wanted = pattern.split(separator: "/")
        let given = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard wanted.count == given.count else { return nil }
        var names: [String] = []
        for (part, value) in zip(wanted, given) {
            if part == "*" {
                guard let name = PercentEncoding.decode(value), !name.isEmpty else { return nil }
                names.append(name)
            } else if part != value {
                return nil
            }
        }
        return names
    }

    static func statusCode(_ code: HostError.Code) -> Int {
        switch code {
        case .unauthenticated: 401
        case .forbidden: 403
        case .unknownPlugin, .unknownTool: 404
        case .conflict: 409
        case .invalidArguments, .invalidRequest, .invalidManifest, .invalidConfiguration, .unsupported,
            .credentialMissing:
            400
        case .deadlineExceeded: 504
        case .unavailable: 503
        case .pluginFailed, .jailFailed: 502
        default: 500
        }
    }

    static func ok(_ value: JSONValue) -> WireResponse {
        WireResponse(status: 200, headers: [("content-type", "application/json")], body: value.encoded())
    }

    static func failure(_ error: HostError) -> WireResponse {
        failure(
            statusCode(error.code), error.code.rawValue, error.message, retryable: error.retryable,
            retryAfterMilliseconds: error.retryAfterMilliseconds, request: error.call?.requestID)
    }

    static func failure(
        _ status: Int, _ code: String, _ message: String, retryable: Bool = false, retryAfterMilliseconds: Int? = nil,
        request: String? = nil
    ) -> WireResponse {
        let failure = APIFailure(
            code: code, message: message, retryable: retryable, retryAfterMilliseconds: retryAfterMilliseconds,
            request: request)
        let body = failure.json.encoded()
        return WireResponse(status: status, headers: [("content-type", "application/json")], body: body)
    }
}

/// What `status` tells of the host itself.
public struct HostFacts: Sendable {
    public var version: String
    public var home: String
    public var processID: Int32
    public var userID: UInt32
    /// Of the nexus-jail that serves now.
    public var launcherID: @Sendable () -> Int32
    public var jailsAsRoot: Bool
    /// A cgroup bounds the processor time of jails.
    public var boundsProcessorTime: Bool
    public var agentURL: @Sendable () -> String

    /// What manifests may ask for here.
    var offer: HostOffer {
        var offer = HostOffer.nexus
        offer.boundsProcessorTime = boundsProcessorTime
        return offer
    }

    public init(
        version: String, home: String, processID: Int32, userID: UInt32, launcherID: @escaping @Sendable () -> Int32,
        jailsAsRoot: Bool,
        boundsProcessorTime: Bool,
        agentURL: @escaping @Sendable () -> String
    ) {
        self.version = version
        self.home = home
        self.processID = processID
        self.userID = userID
        self.launcherID = launcherID
        self.jailsAsRoot = jailsAsRoot
        self.boundsProcessorTime = boundsProcessorTime
        self.agentURL = agentURL
    }
}
