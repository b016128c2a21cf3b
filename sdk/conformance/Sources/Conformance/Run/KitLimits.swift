/// How long the kit waits, in milliseconds. Where abi-v1.md gives a deadline, that one is waited for; where it says "at
/// once", `patience` is what the kit takes that to mean.
public struct KitLimits: Sendable, Equatable {
    /// hello after the start (ABI-5.1), initialized and started after their requests.
    public var hello = 10_000
    public var initialize = 10_000
    public var start = 30_000
    /// stopped after stop; the deadline in the message.
    public var stop = 5_000
    /// A pong, an abort, the end after `cancel`, the exit after end of file.
    public var patience = 3_000
    /// A call with generated or given arguments.
    public var call = 10_000
    /// How long nothing must come for "nothing comes" to be believed.
    public var moment = 150
    /// How long something must not come where work could go on after its end.
    public var linger = 1_500
    /// Frames of each class of malformed ones that are tried, each on a process of its own.
    public var framesPerClass = 100

    public init() {}

    /// For a plugin that is known to be quick: fails sooner, tries one frame of each class.
    public static let brisk: KitLimits = {
        var limits = KitLimits()
        (limits.hello, limits.initialize, limits.start) = (3_000, 2_000, 2_000)
        (limits.stop, limits.patience, limits.call) = (2_000, 1_500, 2_500)
        (limits.moment, limits.framesPerClass) = (80, 1)
        return limits
    }()
}
