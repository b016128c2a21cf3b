internal import NIOCore

/// One of the two ends of a tunnel: what one reads the other writes, no faster than the other can. Both run on the same
/// event loop.
final class TunnelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let meter: EgressMeter
    private let over: (EgressRefusal) -> Void
    private var partner: TunnelHandler?
    private var context: ChannelHandlerContext?
    private var isReadHeldBack = false

    /// - Parameter over: told once when a quota ends the tunnel.
    static func pair(
        _ meter: EgressMeter, over: @escaping (EgressRefusal) -> Void
    ) -> (TunnelHandler, TunnelHandler) {
        let (first, second) = (TunnelHandler(meter, over), TunnelHandler(meter, over))
        (first.partner, second.partner) = (second, first)
        return (first, second)
    }

    private init(_ meter: EgressMeter, _ over: @escaping (EgressRefusal) -> Void) {
        self.meter = meter
        self.over = over
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let refusal = meter.count(unwrapInboundIn(data).readableBytes) {
            if partner != nil { over(refusal) }
            return context.close(promise: nil)
        }
        partner?.context?.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }

    func channelInactive(context: ChannelHandlerContext) {
        partner?.finish(closing: .all)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed {
            partner?.finish(closing: .output)
        } else if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.readOn() }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        guard partner?.context?.channel.isWritable ?? true else {
            isReadHeldBack = true
            return
        }
        context.read()
    }

    /// Closes once everything that was written has gone: closing at once would drop what the peer is slow to take.
    private func finish(closing mode: CloseMode) {
        guard let context else { return }
        let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer()))
        written.assumeIsolated().whenComplete { _ in context.close(mode: mode, promise: nil) }
    }

    private func readOn() {
        guard isReadHeldBack else { return }
        isReadHeldBack = false
        context?.read()
    }
}
