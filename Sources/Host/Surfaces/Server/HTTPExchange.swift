// One request and its answer on one connection. While the answer is made and sent, somebody keeps looking at the
// connection: whoever hangs up, in whichever of these moments, is no longer worked for.
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import PluginABI
internal import Synchronization

/// Reads a whole request, has it answered, and sends the answer.
struct HTTPExchange: Sendable {
    let head: WireRequest
    /// In bytes, for the body.
    let limit: Int
    let channel: any Channel

    /// - Throws: `HTTPError` for a body that is too long or too slow; `CancellationError` if the client hung up.
    func respond(
        to request: Request, answer: @escaping @Sendable (WireRequest) async -> WireResponse
    ) async throws -> Response {
        let presence = Presence()
        let (bodies, arrived) = AsyncThrowingStream.makeStream(of: SecretBytes.self)
        let (over, finish) = AsyncStream.makeStream(of: Void.self)
        let watch = Task { [limit] in
            try await request.body.consumeWithInboundCloseHandler { body in
                await Self.collect(body, limit: limit, to: arrived)
                for await _ in over {}
            } onInboundClosed: {
                arrived.finish(throwing: CancellationError())
                presence.end()
            }
        }
        presence.whenOver { watch.cancel() }
        // The inbound half of the connection has one reader at a time, so the watch must be over before we return.
        @Sendable func leave() async {
            finish.finish()
            watch.cancel()
            _ = await watch.result
        }
        let work = Task { [head] in
            // Cut short by a hang-up, the sequence is empty: half a request is none.
            guard let body = try await bodies.first(where: { _ in true }) else { throw CancellationError() }
            var wire = head
            wire.body = body
            return await answer(wire)
        }
        presence.whenOver { work.cancel() }
        var reply: WireResponse
        do {
            reply = try await withTaskCancellationHandler {
                try await work.value
            } onCancel: {
                work.cancel()
            }
        } catch {
            await leave()
            throw error
        }
        // The inbound half was read to its end to learn of a hang-up, so this connection cannot serve again.
        reply.headers.append((name: "connection", value: "close"))
        guard let stream = reply.stream else {
            await leave()
            return reply.response(body: ResponseBody(byteBuffer: ByteBuffer(bytes: reply.body)))
        }
        presence.whenOver(stream.close)
        return reply.response(
            body: ResponseBody { [channel] writer in
                defer { stream.close() }
                do {
                    try await Self.send(stream, to: &writer, on: channel)
                } catch {
                    await leave()
                    throw error
                }
                await leave()
            })
    }

    private static func collect(
        _ body: HummingbirdCore.RequestBody, limit: Int,
        to arrived: AsyncThrowingStream<SecretBytes, any Error>.Continuation
    ) async {
        let timer = Task {
            try await Task.sleep(for: .seconds(ServerLimits.bodySeconds))
            let reason = "the request's body did not come within \(ServerLimits.bodySeconds) s"
            arrived.finish(throwing: HTTPError(.requestTimeout, message: reason))
        }
        defer { timer.cancel() }
        do {
            var whole = BodyBuffer()
            for try await part in body {
                whole.take(part)
                guard whole.count <= limit else { throw NIOTooManyBytesError(maxBytes: limit) }
            }
            arrived.yield(whole.finish())
            arrived.finish()
        } catch {
            arrived.finish(throwing: error)
        }
    }

    /// Each piece goes once the one before it has left, so that a slow client holds back whoever makes them.
    private static func send(
        _ stream: BodyStream, to writer: inout any ResponseBodyWriter, on channel: any Channel
    ) async throws {
        while let piece = await stream.next() {
            let stalled = channel.eventLoop.scheduleTask(in: .seconds(ServerLimits.stalledSeconds)) {
                channel.close(promise: nil)
            }
            defer { stalled.cancel() }
            try await writer.write(ByteBuffer(bytes: piece))
        }
        try await writer.finish(nil)
    }
}

/// Whether somebody is still at the other end, and what is to be done once nobody is.
private final class Presence: Sendable {
    private struct State {
        var isOver = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// Does it at once if it is over.
    func whenOver(_ action: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if !state.isOver { state.actions.append(action) }
            return state.isOver
        }
        if isOver { action() }
    }

    func end() {
        let actions = state.withLock { state in
            state.isOver = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }
}
