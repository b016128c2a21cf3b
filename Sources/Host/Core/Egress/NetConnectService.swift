internal import Egress
internal import Glibc
internal import JSONBytes
public import PluginABI

/// `net.connect`: the host connects to a declared host and port, and hands the connected socket over. Which address
/// that is the host decides, once; the jail's filter sees to it that the socket stays connected to it.
public final class NetConnectService: HostServices {
    private let poller: DescriptorPoller
    private let connector: EgressConnector
    private let meters: EgressMeters

    public convenience init(poller: DescriptorPoller) {
        self.init(poller: poller, connector: EgressConnector(), meters: EgressMeters(quota: .connects))
    }

    init(poller: DescriptorPoller, connector: EgressConnector, meters: EgressMeters) {
        self.poller = poller
        self.connector = connector
        self.meters = meters
    }

    public func answer(
        _ call: Message.HostCall, in context: CallContext
    ) async throws(ServiceFailure) -> ServiceAnswer {
        let request: ConnectRequest
        do throws(ABIError) { request = try ConnectRequest(call.content) } catch { throw ServiceFailure(error) }
        do throws(EgressRefusal) {
            let asked = EgressTarget(host: try HostName(request.host), port: request.port)
            let (target, rule) = try EgressPolicy.connection(to: asked, for: context.plugin)
            let meter = meters[context.plugin.name]
            try meter.open()
            // What is counted as open is being made: the host does not see the end of what it hands over.
            defer { meter.close() }
            var answer = ServiceAnswer(Message.Payload(["connected": .string(asked.description)]))
            answer.socket = try await connect(to: target, under: rule, meter.quota, due: context.due)
            return answer
        } catch {
            throw EgressPolicy.refusal(error, of: "net.connect")
        }
    }

    private func connect(
        to target: EgressTarget, under rule: EgressRule, _ quota: EgressQuota, due: UInt64
    ) async throws(EgressRefusal) -> PassedSocket {
        let left = Int64(clamping: Clock.millisecondsLeft(until: due))
        return try await connector.connect(
            to: target, under: rule, milliseconds: min(left, quota.connectMilliseconds)
        ) { [poller] address, milliseconds in
            await PendingSocket.connect(to: address, port: target.port, milliseconds: milliseconds, on: poller)
        }
    }
}
