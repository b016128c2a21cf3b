internal import JSONBytes
internal import PluginABI

/// How far a call is, as its plugin says (abi-v1.md, ABI-7.12).
public struct CallProgress: Sendable {
    public let done: UInt64
    public let total: UInt64?
    private let words: String?
    private let redactor: Redactor

    init(_ progress: Message.Progress, redactor: Redactor) {
        done = progress.done
        total = progress.total
        words = progress.message.flatMap { $0.utf8.count <= HostLimits.rawProgressMessageBytes ? $0 : nil }
        self.redactor = redactor
    }

    /// For people: without credentials, at most `HostLimits.progressMessageScalars`. It is made when it is asked for,
    /// because a plugin may say more than anybody is shown.
    public var message: String? {
        words.map { redactor.redact($0).cut(to: HostLimits.progressMessageScalars).printable }
    }

    static func relay(
        to caller: (@Sendable (CallProgress) -> Void)?, redactor: Redactor
    ) -> (@Sendable (Message.Progress) -> Void)? {
        guard let caller else { return nil }
        return { caller(CallProgress($0, redactor: redactor)) }
    }
}
