// MCP over stdin and stdout, as an agent's configuration starts it. The agent writes one message a line; each goes to
// nexusd by itself, and each answer comes back as one line, whichever is ready first. The front decides nothing: who
// calls is what nexusd learns from its socket and from the token that comes with it, never from a line.
internal import JSONBytes

/// Carries newline-delimited messages between a client and the host.
struct StdioFront: Sendable {
    /// The longest message, in bytes: what the host accepts.
    static let lineBytes = 4 << 20
    /// Messages being answered at once. With this many the front reads one more and stops, and the client feels it; a
    /// cancellation behind that one waits until an answer has left.
    static let inFlight = 64

    /// Sends one message to the host. The answer is nil when there is none. Cancelling the task must drop the request,
    /// so that the host stops working on it.
    typealias Forward = @Sendable ([UInt8]) async throws -> [UInt8]?

    private let forward: Forward

    init(forward: @escaping Forward) { self.forward = forward }

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
        var ticket: UInt64
        var line: [UInt8]?
    }

    private func read<Input: AsyncSequence & Sendable>(
        _ input: Input, _ slots: AsyncStream<Void>, _ flights: Flights, _ outbox: AsyncStream<Answer>.Continuation
    ) async throws where Input.Element == [UInt8] {
        var slot = slots.makeAsyncIterator()
        var splitter = LineSplitter(limit: Self.lineBytes)
        try await withThrowingDiscardingTaskGroup { group in
            func take(_ line: LineSplitter.Line) async throws {
                let message = StdioMessage(line)
                if case .cancels(let id) = message { return flights.cancel(id) }
                guard await slot.next() != nil else { throw CancellationError() }
                let work = Task { await answer(message) }
                let ticket = flights.begin(work, id: message.id)
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
        }
    }

    private func answer(_ message: StdioMessage) async -> [UInt8]? {
        switch message {
        case .request(let bytes, let id): return await answer(bytes, id: id)
        case .notification(let bytes): _ = try? await forward(bytes)
        case .refused(let reason): return StdioMessage.error(-32700, reason, id: nil)
        case .cancels: break
        }
        return nil
    }

    private func answer(_ bytes: [UInt8], id: JSONValue?) async -> [UInt8]? {
        do {
            let answer = try await forward(bytes) ?? []
            guard answer.isEmpty else { return StdioMessage.line(from: answer, for: id) }
            return id.map { StdioMessage.error(-32603, "nexusd gave no answer; see `nexus doctor`", id: $0) }
        } catch {
            let remedy = "start it with `nexus up`, and see `nexus doctor` if that does not help"
            return id.map { StdioMessage.error(-32603, "nexusd cannot be reached: \(error); \(remedy)", id: $0) }
        }
    }
}
