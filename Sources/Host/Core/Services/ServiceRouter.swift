public import AuditLog
internal import JSONBytes
public import PluginABI

/// Every host service that plugins may ask for, by name; what one is denied goes into the log.
public struct ServiceRouter: HostServices {
    private let fetch: HTTPFetchService
    private let connect: NetConnectService
    private let values: KeyValueService
    private let audit: AuditLog
    private let metrics: HostMetrics

    public init(
        fetch: HTTPFetchService, connect: NetConnectService, values: KeyValueService, audit: AuditLog,
        metrics: HostMetrics = HostMetrics()
    ) {
        self.fetch = fetch
        self.connect = connect
        self.values = values
        self.audit = audit
        self.metrics = metrics
    }

    private static let known = ["http.fetch", "net.connect"] + KeyValueService.services.sorted()

    public func answer(
        _ call: Message.HostCall, in context: CallContext
    ) async throws(ServiceFailure) -> ServiceAnswer {
        do throws(ServiceFailure) {
            guard let service = service(call) else {
                throw ServiceFailure(
                    ABIError(
                        .permissionDenied,
                        "there is no host service \"\(call.service.cut(to: 64))\"; there is: "
                            + Self.known.joined(separator: ", ")))
            }
            let answer = try await service.answer(call, in: context)
            count(call, context, "ok", in: answer.payload.bytes.count)
            return answer
        } catch {
            count(call, context, error.error.code.rawValue)
            if error.isDenial { record(error, call, context) }
            throw error
        }
    }

    public func isRetryable(_ error: ABIError, of call: Message.HostCall) -> Bool {
        service(call)?.isRetryable(error, of: call) ?? false
    }

    /// The bytes of a request count as sent once it was answered: of one that failed nobody knows.
    private func count(_ call: Message.HostCall, _ context: CallContext, _ outcome: String, in received: Int? = nil) {
        let isKnown = Self.known.contains(call.service)
        metrics.served(isKnown ? call.service : "unknown", for: context.plugin.name, outcome: outcome)
        guard call.service == "http.fetch", let received else { return }
        metrics.carried(for: context.plugin.name, out: call.content.bytes.count, in: received)
    }

    private func service(_ call: Message.HostCall) -> (any HostServices)? {
        if call.service == "http.fetch" { return fetch }
        if call.service == "net.connect" { return connect }
        return KeyValueService.services.contains(call.service) ? values : nil
    }

    private func record(_ failure: ServiceFailure, _ call: Message.HostCall, _ context: CallContext) {
        let denial = Denial(failure, call, in: context, known: Self.known)
        context.denials.keep(denial)
        context.note(denial)
        denial.record(to: audit, in: context, counter: context.denials)
    }
}
