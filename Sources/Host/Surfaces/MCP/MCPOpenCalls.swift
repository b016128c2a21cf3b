internal import JSONBytes
internal import Synchronization

/// The calls that an agent of 2025-11-25 can cancel with `notifications/cancelled`, which comes as a message of its
/// own. Agents choose the ids of their requests and many choose the same, so a call is named by who called, the session
/// that this host named at `initialize`, and the id; without a session nothing can be cancelled but by hanging up.
final class MCPOpenCalls: Sendable {
    struct Key: Hashable {
        let actor: String
        let session: String
        let id: JSONValue
    }

    private struct Call {
        var key: Key
        var cancel: (@Sendable () -> Void)?
        var isCancelled = false
    }

    private struct State {
        var next: UInt64 = 0
        var calls: [UInt64: Call] = [:]
    }

    private let state = Mutex(State())

    /// - Returns: the ticket under which the call ends; none for a call that cannot be named.
    func begin(_ key: Key?) -> UInt64? {
        guard let key else { return nil }
        return state.withLock { state in
            state.next += 1
            state.calls[state.next] = Call(key: key)
            return state.next
        }
    }

    /// What is to be done when the call is cancelled; at once if it has been.
    func whenCancelled(_ ticket: UInt64?, _ cancel: @escaping @Sendable () -> Void) {
        guard let ticket else { return }
        let isCancelled = state.withLock { state in
            state.calls[ticket]?.cancel = cancel
            return state.calls[ticket]?.isCancelled ?? false
        }
        if isCancelled { cancel() }
    }

    /// Cancels what is open under this name; that nothing is, is nobody's mistake.
    func cancel(_ key: Key) {
        let cancels = state.withLock { state in
            let tickets = state.calls.filter { $0.value.key == key }.keys
            for ticket in tickets { state.calls[ticket]?.isCancelled = true }
            return tickets.compactMap { state.calls[$0]?.cancel }
        }
        for cancel in cancels { cancel() }
    }

    func end(_ ticket: UInt64?) {
        guard let ticket else { return }
        state.withLock { _ = $0.calls.removeValue(forKey: ticket) }
    }

    var count: Int { state.withLock { $0.calls.count } }
}

/// The session's name that `initialize` gives out. The host keeps nothing of it: it names whose ids are meant by a
/// cancellation, and its presence tells clients that there is a stream to listen on.
enum MCPSession {
    static let header = "Mcp-Session-Id"

    private static let opensURLs = "-url"

    /// 128 random bits, in hex, and what the client can do.
    static func make(opensURLs: Bool = false) -> String {
        let random = (0..<2).map { _ in
            let word = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - word.count) + word
        }.joined()
        return opensURLs ? random + Self.opensURLs : random
    }

    /// The session that a request names; nil if none, or nothing that could be one.
    static func of(_ request: MCPRequest) -> String? { request.isStdio ? nil : name(in: request) }

    /// The same, for `nexus mcp` too, which sends the session of its agent along.
    static func name(in request: MCPRequest) -> String? {
        let values = request.values(of: header.lowercased())
        guard values.count == 1, let name = values.first, (1...128).contains(name.utf8.count) else { return nil }
        return name
    }

    /// Whether the client said at `initialize` that it can send its user to a URL. Nothing is kept here, so its
    /// session's name says it.
    static func opensURLs(_ request: MCPRequest) -> Bool { name(in: request)?.hasSuffix(opensURLs) ?? false }
}
