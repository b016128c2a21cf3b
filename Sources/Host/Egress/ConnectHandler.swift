internal import NIOCore
internal import NIOPosix

/// One client of the proxy, from its first byte to a tunnel or a refusal.
final class ConnectHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case reading
        /// A refusal is being sent, or the tunnel is being made; nothing that arrives counts.
        case decided
    }

    private let settings: EgressProxy.Settings
    private let open: OpenChannels
    private var head = ConnectHead()
    private var state = State.reading
    private var timer: Scheduled<Void>?

    init(_ settings: EgressProxy.Settings, _ open: OpenChannels) {
        self.settings = settings
        self.open = open
    }

    func channelActive(context: ChannelHandlerContext) {
        // Each tunnel has two; the rest is for clients that have not said what they want, so that a program which opens
        // sockets and keeps silent takes none of the host's descriptors beyond that.
        open.add(context.channel, limit: settings.meter.quota.connections * 3)
        guard context.channel.isActive else { return context.fireChannelActive() }
        let milliseconds = settings.meter.quota.headMilliseconds
        let refuse = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
            let (handler, context) = refuse.value
            handler.refuse(408, "the head did not arrive within \(milliseconds) ms", nil, context)
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .reading = state else {
            // Whoever speaks before the answer does not wait for the tunnel to be there.
            return context.close(promise: nil)
        }
        switch head.receive(unwrapInboundIn(data).readableBytesView) {
        case .needsMore: break
        case .refused(let status, let reason): refuse(status, reason, nil, context)
        case .connect(let target): connect(to: target, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: deciding

    private func connect(to target: EgressTarget, _ context: ChannelHandlerContext) {
        decide()
        let settings = settings
        let rule: EgressRule
        do throws(EgressRefusal) {
            rule = try settings.allow.rule(for: target)
            try settings.meter.open()
        } catch {
            return refuse(error, target, context)
        }
        let loop = context.eventLoop
        let milliseconds = settings.meter.quota.connectMilliseconds
        let done = NIOLoopBound((self, context), eventLoop: loop)
        let result = loop.makeFutureWithTask { () -> Result<any Channel, EgressRefusal> in
            do throws(EgressRefusal) {
                return .success(
                    try await settings.connector.connect(
                        to: target, under: rule, milliseconds: milliseconds, on: loop))
            } catch {
                return .failure(error)
            }
        }
        // Until the channel is gone and nothing is looked up or connected to for it any more: who hangs up early has
        // not given its place back.
        let closed = context.channel.closeFuture
        result.whenComplete { _ in closed.whenComplete { _ in settings.meter.close() } }
        result.whenSuccess { result in
            let (handler, context) = done.value
            switch result {
            case .success(let peer): handler.tunnel(context, to: peer, target)
            case .failure(let refusal): handler.refuse(refusal, target, context)
            }
        }
    }

    private func tunnel(_ context: ChannelHandlerContext, to peer: any Channel, _ target: EgressTarget) {
        guard context.channel.isActive else { return peer.close(promise: nil) }
        open.add(peer)
        let quota = settings.meter.quota
        let limit = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        let overall = context.eventLoop.scheduleTask(in: .milliseconds(quota.overallMilliseconds)) {
            limit.value.close(promise: nil)
        }
        context.channel.closeFuture.whenComplete { _ in overall.cancel() }
        let denied = settings.denied
        let over: (EgressRefusal) -> Void = { denied(EgressProxy.Denial(target: target.description, refusal: $0)) }
        let (client, server) = TunnelHandler.pair(settings.meter, over: over)
        do {
            let ours = context.channel.pipeline.syncOperations
            for (pipeline, end) in [(ours, client), (peer.pipeline.syncOperations, server)] {
                try pipeline.addHandler(IdleStateHandler(allTimeout: .milliseconds(quota.idleMilliseconds)))
                try pipeline.addHandler(end)
            }
        } catch {
            peer.close(promise: nil)
            return context.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n")), promise: nil)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        peer.setOption(.autoRead, value: true).whenFailure { _ in peer.close(promise: nil) }
    }

    private func decide() {
        state = .decided
        timer?.cancel()
    }

    private func refuse(_ refusal: EgressRefusal, _ target: EgressTarget, _ context: ChannelHandlerContext) {
        let status =
            switch refusal.rule {
            case .name, .request: 400
            case .notAllowed, .address, .loopback: 403
            case .unreachable: 502
            case .quota: 429
            }
        let remedy = refusal.rule == .notAllowed ? "; \(settings.remedy(target))" : ""
        settings.denied(EgressProxy.Denial(target: target.description, refusal: refusal))
        send(status, refusal.message + remedy, context)
    }

    private func refuse(_ status: Int, _ reason: String, _ target: EgressTarget?, _ context: ChannelHandlerContext) {
        decide()
        settings.denied(
            EgressProxy.Denial(target: target?.description, refusal: EgressRefusal(.request, reason)))
        send(status, reason, context)
    }

    /// The reason stands in the first line as well, because that is what programs show of a proxy's refusal.
    private func send(_ status: Int, _ reason: String, _ context: ChannelHandlerContext) {
        let body = "nexus: \(reason)\n"
        let answer =
            "HTTP/1.1 \(status) nexus: \(reason)\r\nContent-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n"
            + (status == 405 ? "Allow: CONNECT\r\n" : "") + "Connection: close\r\n\r\n\(body)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer))).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }
}
