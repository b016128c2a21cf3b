internal import Synchronization

/// How often one call was denied something: the log gets the first denials and one line that there were more, so that a
/// plugin cannot fill a disk with them.
final class DenialCounter: Sendable {
    enum Verdict: Sendable, Equatable {
        case record
        case recordAsLast
        case skip
    }
    private let count = Mutex(0)
    private let kept: Mutex<Denial?> = Mutex(nil)

    /// The last of the call, which its error tells.
    var last: Denial? { kept.withLock { $0 } }

    func keep(_ denial: Denial) { kept.withLock { $0 = denial } }

    func next() -> Verdict {
        count.withLock { count in
            count += 1
            if count < HostLimits.recordedDenials { return .record }
            return count == HostLimits.recordedDenials ? .recordAsLast : .skip
        }
    }
}
