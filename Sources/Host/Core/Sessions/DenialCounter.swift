internal import Synchronization

/// How often one call was denied something: the log gets the first denials, one line that there were more, and, when
/// the call is over, how many of which kind those were. So a plugin cannot fill a disk with them, and nothing is lost.
final class DenialCounter: Sendable {
    enum Verdict: Sendable, Equatable {
        case record
        case recordAsLast
        case skip
    }
    private struct State {
        var count = 0
        var last: Denial?
        /// Those that were not recorded, by kind.
        var skipped: [String: Int] = [:]
        var atEnd: (@Sendable ([String: Int]) -> Void)?
    }
    private let state = Mutex(State())

    /// The end of a call or an instance is when nobody can deny it anything any more. Blocks for one line of the log.
    deinit {
        let (skipped, atEnd) = state.withLock { ($0.skipped, $0.atEnd) }
        if !skipped.isEmpty { atEnd?(skipped) }
    }

    /// The last of the call, which its error tells.
    var last: Denial? { state.withLock { $0.last } }

    func keep(_ denial: Denial) { state.withLock { $0.last = denial } }

    /// - Parameter atEnd: gets the number of those that were skipped, by kind; of all that are handed in, the first.
    func next(_ denial: Denial, atEnd: @escaping @Sendable ([String: Int]) -> Void = { _ in }) -> Verdict {
        state.withLock { state in
            state.count += 1
            if state.count < HostLimits.recordedDenials { return .record }
            if state.count == HostLimits.recordedDenials { return .recordAsLast }
            // Kinds are names of calls and services, of which there are few; a plugin cannot make them up.
            state.skipped[denial.kind, default: 0] += denial.count
            if state.atEnd == nil { state.atEnd = atEnd }
            return .skip
        }
    }
}
