internal import PluginABI

/// The byte payload of one call's answer as it comes in, and the credit that the plugin has for more of it (abi-v1.md
/// section 7.3). The host grants again what it has taken in, once half of the window is used. Of bytes that pass
/// through to an `AnswerStream` nothing is kept, and taken in is what its reader has taken.
struct AnswerBytes {
    private let passThrough: Bool
    /// Taken by the reader and not granted again.
    private var taken = 0
    /// As they came: put together once, at the end, so that a long answer is not copied again and again.
    private var pieces: [[UInt8]] = []
    private var count = 0
    private var credit = ABILimits.initialCreditBytes

    init(passThrough: Bool = false) { self.passThrough = passThrough }

    /// The most that the answer may have.
    var limit: Int { passThrough ? HostLimits.streamedBytes : HostLimits.answerBytes }

    /// All of them.
    var collected: [UInt8] {
        guard pieces.count != 1 else { return pieces[0] }
        guard !pieces.isEmpty else { return [] }
        var whole: [UInt8] = []
        whole.reserveCapacity(count)
        for piece in pieces { whole.append(contentsOf: piece) }
        return whole
    }

    enum Verdict: Equatable {
        case enough
        case grant(UInt32)
        /// The answer is over the host's limit.
        case tooMany
    }

    /// - Throws: `flowControl` for bytes that the plugin had no credit for.
    mutating func take(_ bytes: [UInt8], stream: UInt64) throws(ABIError) -> Verdict {
        guard bytes.count <= credit else {
            throw ABIError(
                .flowControl, "\(bytes.count) bytes of data came on stream \(stream), which had credit for \(credit)")
        }
        credit -= bytes.count
        guard finish(with: bytes) else { return .tooMany }
        guard !passThrough, credit <= ABILimits.initialCreditBytes / 2 else { return .enough }
        let more = ABILimits.initialCreditBytes - credit
        credit += more
        return .grant(UInt32(more))
    }

    /// The reader has taken so many: what is granted for it now, if anything.
    mutating func take(_ count: Int) -> UInt32? {
        taken += count
        guard taken >= ABILimits.initialCreditBytes / 2 else { return nil }
        defer { taken = 0 }
        credit += taken
        return UInt32(taken)
    }

    /// Takes in bytes that need no credit: those of `result`. False if the answer is then over the limit.
    mutating func finish(with bytes: [UInt8]) -> Bool {
        guard count + bytes.count <= limit else { return false }
        guard !bytes.isEmpty else { return true }
        count += bytes.count
        if !passThrough { pieces.append(bytes) }
        return true
    }
}

/// Streams of calls that the host gave up on before they were answered: their one answer is late, a second one is a
/// mistake.
struct GivenUpStreams {
    private var awaited: Set<UInt64> = []
    /// Up to here, some were forgotten: a plugin that never answers must not fill memory.
    private var forgotten: UInt64 = 0

    mutating func add(_ stream: UInt64) {
        awaited.insert(stream)
        guard awaited.count > HostLimits.givenUpCalls, let oldest = awaited.min() else { return }
        awaited.remove(oldest)
        forgotten = max(forgotten, oldest)
    }

    /// Whether an answer was still due.
    mutating func answered(_ stream: UInt64) -> Bool { awaited.remove(stream) != nil || stream <= forgotten }
}
