// Agents that want to hear of changes: the GET stream of 2025-11-25 and `subscriptions/listen` of 2026-07-28. Each
// holds a connection for as long as it likes, so their number is bounded, in all and for each actor.
internal import HostCore
internal import JSONBytes
internal import Synchronization

/// The open streams, and the one task that tells them of changes.
final class MCPListeners: Sendable {
    private struct Place {
        var actor: String
        var session: String?
        var listener: MCPListener
    }

    private struct State {
        var next: UInt64 = 0
        var open: [UInt64: Place] = [:]
        var news: Task<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let changes: @Sendable () -> AsyncStream<Void>

    /// - Parameter changes: an element for every change of the tools.
    init(changes: @escaping @Sendable () -> AsyncStream<Void>) { self.changes = changes }

    deinit { state.withLock { $0.news }?.cancel() }

    /// Opens a stream for an actor, which has it until the stream is closed.
    ///
    /// - Throws: an error with status 503 where there are too many, or the host is stopping.
    func open(_ listener: MCPListener, for actor: String, session: String? = nil) throws(MCPFault) -> BodyStream {
        let number = try state.withLock { (state) throws(MCPFault) in
            guard !state.isClosed else { throw Self.refusal("the host is stopping") }
            let own = state.open.values.count { $0.actor == actor }
            guard own < MCPLimits.listenersOfOneActor, state.open.count < MCPLimits.listeners else {
                throw Self.refusal("\(own) streams of \(actor) are open, \(state.open.count) in all; close one")
            }
            state.next += 1
            state.open[state.next] = Place(actor: actor, session: session, listener: listener)
            if state.news == nil { state.news = follow(changes()) }
            return state.next
        }
        return BodyStream(
            next: { await listener.next() },
            close: { [weak self] in
                listener.stop()
                self?.state.withLock { _ = $0.open.removeValue(forKey: number) }
            })
    }

    private static func refusal(_ reason: String) -> MCPFault {
        MCPFault(status: 503, .internalError, "no more listening: \(reason)", headers: [("Retry-After", "5")])
    }

    private func follow(_ changes: AsyncStream<Void>) -> Task<Void, Never> {
        Task { [weak self] in
            for await _ in changes { self?.all.forEach { $0.hear() } }
        }
    }

    private var all: [MCPListener] { state.withLock { $0.open.values.map(\.listener) } }

    /// Says something to one client and nobody else.
    func tell(_ event: [UInt8], to session: String, of actor: String) {
        let places = state.withLock { $0.open.values.filter { $0.actor == actor && $0.session == session } }
        for place in places { place.listener.say(event) }
    }

    var count: Int { state.withLock { $0.open.count } }

    /// Ends every stream in good order, and lets none be opened again.
    func close() {
        state.withLock { $0.isClosed = true }
        for listener in all { listener.end() }
    }
}

/// One agent's stream of announcements. It says what is worth saying once, however often it happened meanwhile.
final class MCPListener: Sendable {
    private struct State {
        var greeting: [UInt8]?
        var hasChanged = false
        var events: [[UInt8]] = []
        var farewell: [UInt8]?
        var isEnding = false
    }

    private let state: Mutex<State>
    /// Nil where the agent did not ask for it.
    private let announcement: [UInt8]?
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    private let clock: Task<Void, any Error>

    /// - Parameters:
    ///   - greeting: the first event, if any.
    ///   - announcement: the event that says that the tools have changed.
    ///   - farewell: the last event, if any, when the host ends the stream.
    init(
        greeting: [UInt8]? = nil, announcement: [UInt8]?, farewell: [UInt8]? = nil,
        keepAlive: Duration = .milliseconds(MCPLimits.keepAliveMilliseconds)
    ) {
        self.announcement = announcement
        state = Mutex(State(greeting: greeting, farewell: farewell))
        let (bell, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.bell, self.ring) = (bell, ring)
        clock = Task {
            while true {
                try await Task.sleep(for: keepAlive)
                ring.yield()
            }
        }
    }

    deinit { stop() }

    func hear() {
        guard announcement != nil else { return }
        state.withLock { $0.hasChanged = true }
        ring.yield()
    }

    func say(_ event: [UInt8]) {
        state.withLock { state in
            state.events.append(event)
            if state.events.count > MCPLimits.waitingEvents { state.events.removeFirst() }
        }
        ring.yield()
    }

    /// Ends the stream after what is still to be said.
    func end() {
        state.withLock { $0.isEnding = true }
        ring.yield()
    }

    /// Nobody reads any more.
    func stop() {
        clock.cancel()
        ring.finish()
    }

    func next() async -> [UInt8]? {
        if let piece = take() { return piece.isEmpty ? nil : piece }
        for await _ in bell {
            guard let piece = take() else { return MCPEvent.keepAlive }
            return piece.isEmpty ? nil : piece
        }
        return nil
    }

    /// What is to be said now; nil for nothing, empty at the end.
    private func take() -> [UInt8]? {
        state.withLock { state in
            if let greeting = state.greeting.take() { return greeting }
            if !state.events.isEmpty { return state.events.removeFirst() }
            if state.hasChanged {
                state.hasChanged = false
                return announcement
            }
            return state.isEnding ? state.farewell.take() ?? [] : nil
        }
    }
}
