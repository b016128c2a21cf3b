internal import HostCore
internal import Synchronization

/// A call on its way to its agent: what the plugin tells of it, and its answer. One task at a time reads it. What is
/// not taken yet is replaced by what is newer, so a slow agent costs no memory.
final class MCPCallFeed: Sendable {
    private let token: MCPProgressToken
    private let pace = Mutex(ProgressPace<MCPResponse>())
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    init(token: MCPProgressToken) {
        self.token = token
        (bell, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func report(_ progress: CallProgress) {
        if pace.withLock({ $0.offer(progress) }) { ring.yield() }
    }

    func end(with answer: MCPResponse) {
        pace.withLock { $0.end(with: answer) }
        ring.yield()
    }

    /// Waits until it is known whether the answer is one body or a stream: the answer if the call ends without a word,
    /// nil once it has told of something or the task is cancelled.
    func answerUnlessProgress() async -> MCPResponse? {
        while true {
            let (answer, hasProgress) = pace.withLock { ($0.silentAnswer, $0.hasProgress) }
            if let answer { return answer }
            guard !hasProgress, await wait(until: nil) else { return nil }
        }
    }

    /// The next event; nil after the answer, and once the task is cancelled.
    func next() async -> [UInt8]? {
        while true {
            switch pace.withLock({ $0.next(now: .now) }) {
            case .progress(let progress): return token.notification(progress)
            case .answer(let answer): return MCPEvent.message(answer.body)
            case .wait(let time): guard await wait(until: time) else { return nil }
            case .over: return nil
            }
        }
    }

    /// - Returns: false if the task was cancelled.
    private func wait(until time: ContinuousClock.Instant?) async -> Bool {
        let alarm = time.map { time in
            Task { [ring] in
                try await Task.sleep(until: time, clock: .continuous)
                ring.yield()
            }
        }
        defer { alarm?.cancel() }
        for await _ in bell { return true }
        return false
    }
}
