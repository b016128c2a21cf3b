// What crosses here: the wish for a credential, from an agent's call or an admin, and later its value, from a browser.
// The value never goes the way that the wish came.
public import AuditLog
internal import JSONBytes
public import PluginABI
internal import Synchronization

/// What whoever asked is told, this once.
public struct SecretInvitation: Sendable, Equatable {
    /// For the log and for asking how far it is; it opens nothing.
    public var id: String
    /// Of the page.
    public var url: String
    /// To be typed into the page.
    public var code: String
    public var wanted: MissingCredentials
    public var seconds: Int

    public init(id: String, url: String, code: String, wanted: MissingCredentials, seconds: Int) {
        self.id = id
        self.url = url
        self.code = code
        self.wanted = wanted
        self.seconds = seconds
    }
}

/// What the form is shown of a request.
public struct SecretRequestView: Sendable, Equatable {
    public var id: String
    public var wanted: MissingCredentials
    public var asker: String
    public var attemptsLeft: Int
}

/// What became of a submission.
public enum SecretSubmission: Sendable, Equatable {
    case stored(SecretRequestView)
    /// The form may be tried again.
    case wrongCode(SecretRequestView)
    /// There is no such request, or none any more.
    case unknown
}

/// Keeps the book of requests: with a clock, a lock, the audit log and the store behind it.
public final class SecretRequests: Sendable {
    private struct Inner {
        var book = SecretRequestBook()
        var next: UInt64 = 0
        var waiting: [UInt64: (id: String, bell: AsyncStream<Void>.Continuation)] = [:]
    }

    public let keys = SecretRequestKeys()
    private let secrets: SecretStore
    private let audit: AuditLog
    private let base: @Sendable () -> String
    private let now: @Sendable () -> UInt64
    private let inner = Mutex(Inner())

    /// - Parameters:
    ///   - base: where the pages are, such as `http://127.0.0.1:8765`.
    ///   - now: milliseconds of a clock that nobody sets.
    public init(
        secrets: SecretStore, audit: AuditLog, base: @escaping @Sendable () -> String,
        now: @escaping @Sendable () -> UInt64 = Clock.monotonicMilliseconds
    ) {
        self.secrets = secrets
        self.audit = audit
        self.base = base
        self.now = now
    }

    /// Opens a form.
    ///
    /// - Parameter call: the request id of the call that lacked it, if any.
    /// - Throws: `unavailable` where too many are open; `auditFailed`.
    public func open(
        _ wanted: MissingCredentials, asker: String, call: String? = nil
    ) throws(HostError) -> SecretInvitation {
        sweep()
        let token = SecretRequestKeys.random()
        let code = PairingCode.make()
        let entry = SecretRequestBook.Entry(
            id: Hex.text(RandomBytes.make(8)), tokenHash: SecretRequestKeys.hash(token),
            codeHash: PairingCode.hash(code),
            wanted: wanted, asker: asker, expires: now() + HostLimits.secretFormMilliseconds)
        try inner.withLock { (inner) throws(HostError) in try inner.book.add(entry) }
        do throws(HostError) {
            try record("created", entry, [("request", JSONValue(call))])
        } catch {
            finish(entry.id, as: .failed)
            throw error
        }
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(HostLimits.secretFormMilliseconds + 100))
            self?.sweep()
        }
        return SecretInvitation(
            id: entry.id, url: "\(base())/secret/\(token)", code: code, wanted: wanted,
            seconds: Int(HostLimits.secretFormMilliseconds / 1_000))
    }

    /// The request behind a link, for showing its page. Nothing is used up by it.
    public func look(_ token: String, noting isShown: Bool) throws(HostError) -> SecretRequestView? {
        sweep()
        let hash = SecretRequestKeys.hash(token)
        let time = now()
        let (entry, isFirst) = inner.withLock { inner in
            (inner.book.find(hash, now: time), isShown && inner.book.noteOpened(hash, now: time))
        }
        guard let entry else { return nil }
        if isFirst { try record("opened", entry) }
        return Self.view(entry)
    }

    /// Takes what was typed. Of all submissions of a request, at most one is stored.
    ///
    /// - Parameter values: in the order of the wanted names.
    /// - Throws: `auditFailed`, `storageFailed`, `invalidRequest`: the request has ended then.
    public func submit(_ token: String, code: String, values: [SecretBytes]) throws(HostError) -> SecretSubmission {
        sweep()
        let (hash, codeHash, time) = (SecretRequestKeys.hash(token), PairingCode.hash(code), now())
        switch inner.withLock({ $0.book.claim(hash, codeHash: codeHash, now: time) }) {
        case .unknown: return .unknown
        case .wrongCode(let entry):
            ring(entry.id)
            try record(
                "refused", entry,
                [("reason", "wrong pairing code"), ("attemptsLeft", JSONValue(entry.attemptsLeft))])
            return entry.attemptsLeft > 0 ? .wrongCode(Self.view(entry)) : .unknown
        case .won(let entry):
            do throws(HostError) {
                try store(values, for: entry)
            } catch {
                finish(entry.id, as: .failed)
                try record("failed", entry, [("reason", .string(error.code.rawValue))])
                throw error
            }
            return .stored(Self.view(entry))
        }
    }

    private func store(_ values: [SecretBytes], for entry: SecretRequestBook.Entry) throws(HostError) {
        guard values.count == entry.wanted.names.count else {
            throw HostError(.invalidRequest, "\(entry.wanted.names.count) values are wanted, \(values.count) came")
        }
        try record("submitted", entry)
        for (address, value) in zip(entry.wanted.addresses, values) { try secrets.set(address, value) }
        try record("stored", entry)
        finish(entry.id, as: .stored)
        for other in inner.withLock({ $0.book.answered(by: entry.wanted) }) {
            guard finish(other.id, as: .stored) else { continue }
            try record("closed", other, [("reason", .string("answered by \(entry.id)"))])
        }
    }

    /// Ends a request that nobody wants any more.
    ///
    /// - Returns: whether it was open.
    public func close(_ id: String, reason: String) throws(HostError) -> Bool {
        guard let entry = inner.withLock({ $0.book.end(id, as: .closed) }) else { return false }
        ring(id)
        try record("closed", entry, [("reason", .string(reason))])
        return true
    }

    /// Ends all requests for credentials of a plugin that is gone: whoever comes back under its name is somebody else.
    public func closeAll(of plugin: String) throws(HostError) {
        let closed = inner.withLock { inner in
            let open = inner.book.entries.filter { $0.state.isOpen && $0.wanted.plugin == plugin }
            return open.compactMap { inner.book.end($0.id, as: .closed) }
        }
        for entry in closed { ring(entry.id) }
        for entry in closed { try record("closed", entry, [("reason", "the plugin was removed")]) }
    }

    public func state(of id: String) -> SecretRequestState? {
        sweep()
        return inner.withLock { $0.book.state(of: id) }
    }

    /// Waits until a request has ended, the time is over, or the task is cancelled.
    public func wait(for id: String, milliseconds: UInt64) async -> SecretRequestState? {
        let (bells, bell) = AsyncStream.makeStream(of: Void.self)
        let number = inner.withLock { inner -> UInt64? in
            guard inner.book.state(of: id)?.isOpen == true else { return nil }
            inner.next += 1
            inner.waiting[inner.next] = (id, bell)
            return inner.next
        }
        guard let number else { return state(of: id) }
        let alarm = Task {
            try await Task.sleep(for: .milliseconds(milliseconds))
            bell.finish()
        }
        for await _ in bells {}
        alarm.cancel()
        inner.withLock { _ = $0.waiting.removeValue(forKey: number) }
        return state(of: id)
    }

    private func sweep() {
        let time = now()
        for entry in inner.withLock({ $0.book.sweep(now: time) }) {
            ring(entry.id)
            // Nothing waits for this line, and the request has ended with or without it.
            try? record("expired", entry)
        }
    }

    @discardableResult
    private func finish(_ id: String, as state: SecretRequestState) -> Bool {
        let hasEnded = inner.withLock { $0.book.end(id, as: state) != nil }
        ring(id)
        return hasEnded
    }

    /// Wakes those who wait for a request that has ended.
    private func ring(_ id: String) {
        let bells = inner.withLock { inner in
            inner.book.state(of: id)?.isOpen == true ? [] : inner.waiting.values.filter { $0.id == id }.map(\.bell)
        }
        for bell in bells { bell.finish() }
    }

    private static func view(_ entry: SecretRequestBook.Entry) -> SecretRequestView {
        SecretRequestView(
            id: entry.id, wanted: entry.wanted, asker: entry.asker, attemptsLeft: entry.attemptsLeft)
    }

    private func record(
        _ event: String, _ entry: SecretRequestBook.Entry, _ more: [(String, JSONValue)] = []
    ) throws(HostError) {
        do {
            try audit.append(
                [
                    ("kind", "secret-form"), ("event", .string(event)), ("form", .string(entry.id)),
                    ("plugin", .string(entry.wanted.plugin)), ("names", JSONValue(entry.wanted.names)),
                    ("scope", .string(entry.wanted.scope.rawValue)), ("owner", .string(entry.wanted.owner)),
                    ("actor", .string(entry.asker)),
                ] + more)
        } catch {
            throw HostError(.auditFailed, "\(error.message); no form is served without it", retryable: true)
        }
    }
}
