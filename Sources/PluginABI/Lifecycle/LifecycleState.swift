/// Where a plugin instance is in its life (abi-v1.md section 6).
public enum LifecycleState: String, Sendable, CaseIterable {
    /// The process exists; nothing has been heard from it.
    case created
    /// The plugin said hello; the host has not answered yet.
    case greeted
    /// Both speak one version.
    case welcomed
    /// The host asked the plugin to initialize.
    case initializing
    /// Ready to start.
    case initialized
    /// The host asked the plugin to start.
    case starting
    /// Calls may be made.
    case running
    /// No new calls; those in flight may end.
    case stopping
    /// Idle; may be started again or disposed of.
    case stopped
    /// The host asked for a last clean-up.
    case disposing
    /// Ended well.
    case disposed
    /// Ended badly; the cause is recorded.
    case failed

    /// True when nothing more will be said.
    public var isFinal: Bool { self == .disposed || self == .failed }

    /// How long the peer that must speak next may take, in milliseconds; nil where nobody is awaited.
    public var deadlineMilliseconds: UInt64? {
        switch self {
        case .created: 10_000
        case .initializing: 10_000
        case .starting: 30_000
        case .stopping: 10_000
        case .disposing: 5_000
        case .greeted, .welcomed, .initialized, .running, .stopped, .disposed, .failed: nil
        }
    }
}
