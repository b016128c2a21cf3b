// The pending requests for credentials, as a value without a clock, a lock or a log: what may happen to a request, and
// that it happens once. A request is found by the hash of its token only, and ends by the first submission that is
// right, by the fifth that is wrong, by its time, or by whoever asked.

/// How far a request is.
public enum SecretRequestState: String, Sendable, Equatable {
    case pending
    /// The page was shown to somebody; it may have been a program that looks at links.
    case opened
    /// Taken from the form and being stored.
    case submitted
    case stored
    case expired
    /// Ended by wrong pairing codes.
    case refused
    /// Ended by whoever asked.
    case closed
    /// The values came and could not be stored.
    case failed

    public var isOpen: Bool { self == .pending || self == .opened || self == .submitted }
}

/// The book of one host.
struct SecretRequestBook {
    struct Entry: Sendable, Equatable {
        /// A name for the log; it opens nothing.
        var id: String
        var tokenHash: [UInt8]
        var codeHash: [UInt8]
        var wanted: MissingCredentials
        /// Who asked: the agent's or admin's actor.
        var asker: String
        /// On the clock of whoever keeps the book, in milliseconds.
        var expires: UInt64
        var attemptsLeft = HostLimits.secretFormAttempts
        var state = SecretRequestState.pending
    }

    /// What became of a submission.
    enum Claim: Equatable {
        /// The caller has it now; nobody else will.
        case won(Entry)
        /// The pairing code was wrong; zero attempts left means that the request has ended.
        case wrongCode(Entry)
        /// Unknown, ended, or in another's hands: there is no difference to be seen.
        case unknown
    }

    /// In the order of their making; those that ended stand here too until they are forgotten.
    private(set) var entries: [Entry] = []

    /// - Throws: `unavailable` where too many are open.
    mutating func add(_ entry: Entry) throws(HostError) {
        let open = entries.filter(\.state.isOpen)
        let own = open.count { $0.wanted.owner == entry.wanted.owner }
        guard own < HostLimits.secretFormsOfOneOwner else {
            throw HostError(
                .unavailable,
                "\(own) forms for credentials of \(entry.wanted.owner.isEmpty ? "everyone" : entry.wanted.owner) are "
                    + "open already; fill one in, or wait until they end", retryable: true)
        }
        // Who may act for a group names as many owners as it likes: the others' forms are not its to use up.
        let asked = open.count { $0.asker == entry.asker }
        guard asked < HostLimits.secretFormsOfOneAsker, open.count < HostLimits.secretForms else {
            throw HostError(
                .unavailable,
                "\(open.count) forms for credentials are open already, \(asked) of them for \(entry.asker); "
                    + "try again when some have ended, in ten minutes at most", retryable: true)
        }
        entries.append(entry)
        while entries.count > HostLimits.secretForms * 2, let ended = entries.firstIndex(where: { !$0.state.isOpen }) {
            entries.remove(at: ended)
        }
    }

    /// Ends what is too old.
    ///
    /// - Returns: what ended now.
    mutating func sweep(now: UInt64) -> [Entry] {
        var ended: [Entry] = []
        for index in entries.indices where entries[index].state.isOpen && entries[index].state != .submitted {
            guard entries[index].expires <= now else { continue }
            entries[index].state = .expired
            ended.append(entries[index])
        }
        return ended
    }

    /// The open request with this token. Every entry is compared, each in full.
    func find(_ tokenHash: [UInt8], now: UInt64) -> Entry? {
        index(tokenHash, now: now).map { entries[$0] }
    }

    /// Notes that the page was shown.
    ///
    /// - Returns: whether it is the first time.
    mutating func noteOpened(_ tokenHash: [UInt8], now: UInt64) -> Bool {
        guard let index = index(tokenHash, now: now), entries[index].state == .pending else { return false }
        entries[index].state = .opened
        return true
    }

    /// The one way in which a request is used up: at most one claim ever wins it.
    mutating func claim(_ tokenHash: [UInt8], codeHash: [UInt8], now: UInt64) -> Claim {
        guard let index = index(tokenHash, now: now) else { return .unknown }
        guard ConstantTime.equal(entries[index].codeHash, codeHash) else {
            entries[index].attemptsLeft -= 1
            if entries[index].attemptsLeft <= 0 { entries[index].state = .refused }
            return .wrongCode(entries[index])
        }
        entries[index].state = .submitted
        return .won(entries[index])
    }

    /// - Returns: the entry, if it was open.
    mutating func end(_ id: String, as state: SecretRequestState) -> Entry? {
        guard let index = entries.firstIndex(where: { $0.id == id && $0.state.isOpen }) else { return nil }
        entries[index].state = state
        return entries[index]
    }

    /// Other open requests that these credentials answer too.
    func answered(by wanted: MissingCredentials) -> [Entry] {
        entries.filter { entry in
            entry.state.isOpen && entry.state != .submitted && entry.wanted.plugin == wanted.plugin
                && entry.wanted.scope == wanted.scope && entry.wanted.owner == wanted.owner
                && entry.wanted.names.allSatisfy(wanted.names.contains)
        }
    }

    func state(of id: String) -> SecretRequestState? { entries.first { $0.id == id }?.state }

    func entry(_ id: String) -> Entry? { entries.first { $0.id == id } }

    private func index(_ tokenHash: [UInt8], now: UInt64) -> Int? {
        var found: Int?
        for index in entries.indices {
            let isSame = ConstantTime.equal(entries[index].tokenHash, tokenHash)
            let isLive = entries[index].state == .pending || entries[index].state == .opened
            if isSame, isLive, entries[index].expires > now { found = index }
        }
        return found
    }
}

/// Comparison whose time tells only the lengths.
enum ConstantTime {
    static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
