// A check is one scenario: what the probe plays, and what its host is then judged by.

/// What became of one check of a host.
public struct HostCheckResult: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        case passed
        case failed(why: String, fix: String)
        case skipped(reason: String)
    }

    /// Such as `ABI-4.3`.
    public var requirement: String
    public var title: String
    /// What the check belongs to: `process`, `frames`, `calls`.
    public var group: String
    public var outcome: Outcome
    public var milliseconds: Int
}

/// Why a check did not pass.
enum HostFinding: Error, Sendable {
    case failed(String, fix: String)
    case skipped(String)
}

/// One thing that a host must do.
struct HostCheck: Sendable {
    typealias Judge = @Sendable (HostStage) async throws -> Void

    var requirement: String
    var title: String
    var group: String
    /// What the probe does (HOSTS.md, the words of the probe).
    var steps: [String]
    var needs: Set<HostAbility>
    /// Several calls are open at once.
    var isConcurrent: Bool
    /// The tool `act` answers with bytes.
    var answersBytes: Bool
    /// A second plugin beside it.
    var hasNeighbour: Bool
    var judge: Judge

    init(
        _ requirement: String, _ title: String, group: String, _ steps: [String] = [],
        needs: Set<HostAbility> = [], isConcurrent: Bool = false, answersBytes: Bool = false,
        hasNeighbour: Bool = false, judge: @escaping Judge
    ) {
        self.requirement = requirement
        self.title = title
        self.group = group
        self.steps = steps
        self.needs = needs
        self.isConcurrent = isConcurrent
        self.answersBytes = answersBytes
        self.hasNeighbour = hasNeighbour
        self.judge = judge
    }

    /// Every check, by group.
    static let all: [HostCheck] =
        process + handshake + lifecycle + frames + fields + calls + endings + credentials + services + flow + stopping
}
