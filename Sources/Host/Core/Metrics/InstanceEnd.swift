internal import Sandbox

/// Why an instance ended, in one word for counting; the incident has the whole story.
enum InstanceEnd: String, Sendable, CaseIterable {
    /// The host asked it to go.
    case stopped
    /// Its program ended by itself.
    case exited
    /// A signal ended it.
    case signalled
    /// The system call filter ended it.
    case filtered
    case memoryLimit = "memory-limit"
    case processLimit = "process-limit"
    case fileLimit = "file-limit"
    case processorTime = "processor-time"
    /// Its jail was killed from outside, or nexus-jail is gone.
    case lost
    /// It missed a deadline of its life, or said nothing any more.
    case unresponsive
    /// It broke the protocol, or closed its socket.
    case protocolBroken = "protocol"
    /// The host could not go on with it.
    case host

    /// - Parameters:
    ///   - end: of its process, where it was awaited.
    ///   - cause: that callers were given.
    init(_ end: JailEnd?, cause: HostError, wasStopped: Bool) {
        if wasStopped {
            self = .stopped
        } else if let end {
            self = Self.of(end)
        } else {
            switch cause.code {
            case .deadlineExceeded: self = .unresponsive
            case .pluginFailed: self = .protocolBroken
            default: self = .host
            }
        }
    }

    private static func of(_ end: JailEnd) -> InstanceEnd {
        switch (end.cause, end.exit) {
        case (.memoryLimit, _): .memoryLimit
        case (.processLimit, _): .processLimit
        case (.fileLimit, _): .fileLimit
        case (.processorTime, _): .processorTime
        case (nil, .exited): .exited
        case (nil, .signalled(31)): .filtered
        case (nil, .signalled): .signalled
        case (nil, .lost): .lost
        }
    }
}
