public import AuditLog
internal import JSONBytes
public import PluginABI

/// Every host service that plugins may ask for, by name; what one is denied goes into the log.
public struct ServiceRouter: HostServices {
    private let fetch: HTTPFetchService
    private let values: KeyValueService
    private let audit: AuditLog

    public init(fetch: HTTPFetchService, values: KeyValueService, audit: AuditLog) {
        self.fetch = fetch
        self.values = values
        self.audit = audit
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
            return try await service.perform(call, in: context)
        } catch {
            if Self.isDenial(error, of: call) { record(error, call, context) }
            throw error
        }
    }

    public func isRetryable(_ error: ABIError, of call: Message.HostCall) -> Bool {
        service(call)?.isRetryable(error, of: call) ?? false
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
