// MCP over stdin and stdout, as an agent's configuration starts it. The agent writes one message a line; each goes to
// nexusd by itself, and each answer comes back as one line, whichever is ready first; notifications that belong to a
// request come before its answer. The front decides nothing: who calls is what nexusd learns from its socket and from
// the token that comes with it, never from a line.
internal import JSONBytes

/// Carries newline-delimited messages between a client and the host.
struct StdioFront: Sendable {
    /// The longest message, in bytes: what the host accepts.
    static let lineBytes = 4 << 20
    /// Messages being answered at once. With this many the front reads one more and stops, and the client feels it; a
    /// cancellation behind that one waits until an answer has left.
    static let inFlight = 64

    /// Takes a notification that the host sends; returns once the client has it.
    typealias Notify = @Sendable ([UInt8]) async throws -> Void
    /// Sends one message to the host. The answer is nil when there is none. Cancelling the task must drop the request,
    /// so that the host stops working on it.
    typealias Forward = @Sendable ([UInt8], _ notify: @escaping Notify) async throws -> [UInt8]?
    /// Hears what the host announces, until the task is cancelled.
    typealias Listen = @Sendable (_ notify: @escaping Notify) async -> Void

    private let forward: Forward
    private let listen: Listen

    /// - Parameter listen: begun once the client says that it is initialized (up to 2025-11-25; later revisions ask).
    init(listen: @escaping Listen = { _ in }, forward: @escaping Forward) {
        self.listen = listen
        self.forward = forward
    }

    /// Serves until the input ends and everything read from it is answered.
    ///
    /// - Parameter input: the bytes of stdin, in pieces of any size.
    /// - Parameter write: writes one line, without its newline; it is never called twice at a time.
    /// - Throws: what the input or `write` throws; requests in flight are cancelled then.
    func run<Input: AsyncSequence & Sendable>(
        input: Input, write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws where Input.Element == [UInt8] {
        let (answers, outbox) = AsyncStream.makeStream(of: Answer.self)
        let (slots, freed) = AsyncStream.makeStream(of: Void.self)
        for _ in 0..<Self.inFlight { freed.yield() }
        let flights = Flights()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { outbox.finish() }
                try await read(input, slots, flights, outbox)
            }
            group.addTask {
                for await answer in answers {
                    if let written = answer.written {
                        if let line = answer.line { try await write(line) }
                        written.yield()
                        continue
                    }
                    // A slot is free only when its answer has left: a client that does not read cannot fill the memory.
                    let isCancelled = flights.end(answer.ticket)
                    if let line = answer.line, !isCancelled { try await write(line) }
                    freed.yield()
                }
            }
            while try await group.next() != nil {}
        }
    }

    private struct Answer: Sendable {
        var ticket: UInt64 = 0
        var line: [UInt8]?
        /// For a notification: who sent it waits for this.
        var written: AsyncStream<Void>.Continuation?
    }

    private static func notifier(_ outbox: AsyncStream<Answer>.Continuation) -> Notify {
        { line in
            let (done, written) = AsyncStream.makeStream(of: Void.self)
            guard case .enqueued = outbox.yield(Answer(line: line, written: written)) else { throw CancellationError() }
            for await _ in done { return }
            throw CancellationError()
        }
    }

    private func read<Input: AsyncSequence & Sendable>(
        _ input: Input, _ slots: AsyncStream<Void>, _ flights: Flights, _ outbox: AsyncStream<Answer>.Continuation
    ) async throws where Input.Element == [UInt8] {
        var slot = slots.makeAsyncIterator()
        var splitter = LineSplitter(limit: Self.lineBytes)
        let notify = Self.notifier(outbox)
        var listening: Task<Void, Never>?
        defer { listening?.cancel() }
        try await withThrowingDiscardingTaskGroup { group in
            func take(_ line: LineSplitter.Line) async throws {
                let message = StdioMessage(line)
                if case .cancels(let id) = message { return flights.cancel(id) }
                guard await slot.next() != nil else { throw CancellationError() }
                let work = Task { await answer(message, notify) }
                let ticket = flights.begin(work, id: message.id, lastsUntilEnd: message.isSubscription)
                if message.isInitialized, listening == nil { listening = Task { await listen(notify) } }
                group.addTask {
                    let line = await withTaskCancellationHandler {
                        await work.value
                    } onCancel: {
                        work.cancel()
                    }
                    outbox.yield(Answer(ticket: ticket, line: line))
                }
            }
            for try await bytes in input {
                for line in splitter.push(bytes) { try await take(line) }
            }
            if let line = splitter.finish() { try await take(line) }
            listening?.cancel()
            flights.cancelEndless()
        }
    }

    private func answer(_ message: StdioMessage, _ notify: @escaping Notify) async -> [UInt8]? {
        switch message {
        case .request(let bytes, let id, _): return await answer(bytes, id: id, notify)
        case .notification(let bytes, _): _ = try? await forward(bytes, notify)
        case .refused(let reason): return StdioMessage.error(-32700, reason, id: nil)
        case .cancels: break
        }
        return nil
    }

    private func answer(_ bytes: [UInt8], id: JSONValue?, _ notify: @escaping Notify) async -> [UInt8]? {
        do {
            let answer = try await forward(bytes, notify) ?? []
            guard answer.isEmpty else { return StdioMessage.line(from: answer, for: id) }
            return id.map { StdioMessage.error(-32603, "nexusd gave no answer; see `nexus doctor`", id: $0) }
        } catch {
            let remedy = "start it with `nexus up`, and see `nexus doctor` if that does not help"
            return id.map { StdioMessage.error(-32603, "nexusd cannot be reached: \(error); \(remedy)", id: $0) }
        }
    }
}
