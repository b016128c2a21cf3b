public import AuditLog
internal import JSONBytes
public import PluginABI

/// Every host service that plugins may ask for, by name; what one is denied goes into the log.
public struct ServiceRouter: HostServices {
    private let fetch: HTTPFetchService
    private let values: KeyValueService
    private let audit: AuditLog
    private let metrics: HostMetrics

    public init(
        fetch: HTTPFetchService, values: KeyValueService, audit: AuditLog, metrics: HostMetrics = HostMetrics()
    ) {
        self.fetch = fetch
        self.values = values
        self.audit = audit
        self.metrics = metrics
    }

    private static let known = ["http.fetch"] + KeyValueService.services.sorted()

    public func perform(_ call: Message.HostCall, in context: CallContext) async throws(ABIError) -> Message.Payload {
        do throws(ABIError) {
            guard let service = service(call) else {
                throw ABIError(
                    .permissionDenied,
                    "there is no host service \"\(call.service.cut(to: 64))\"; there is: "
                        + Self.known.joined(separator: ", "))
            }
            let answer = try await service.perform(call, in: context)
            count(call, context, "ok", in: answer.bytes.count)
            return answer
        } catch {
            count(call, context, error.code.rawValue)
            if Self.isDenial(error, of: call) { record(error, call, context) }
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
        return KeyValueService.services.contains(call.service) ? values : nil
    }

    /// A permission that is missing, or a quota that is used up.
    private static func isDenial(_ error: ABIError, of call: Message.HostCall) -> Bool {
        error.code == .permissionDenied || error.message.hasPrefix("\(call.service) refused: ")
    }

    private func record(_ error: ABIError, _ call: Message.HostCall, _ context: CallContext) {
        let denial = Denial(error, call, in: context, known: Self.known)
        context.denials.keep(denial)
        context.note(denial)
        denial.record(to: audit, in: context, counter: context.denials)
    }
}
