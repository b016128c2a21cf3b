/// A closed range of ABI versions that one side speaks.
public struct VersionRange: Sendable, Equatable, CustomStringConvertible {
    public var minimum: UInt32
    public var maximum: UInt32

    public init(_ minimum: UInt32, _ maximum: UInt32) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// What this implementation speaks.
    public static let supported = VersionRange(1, 1)

    public var description: String { minimum == maximum ? "\(minimum)" : "\(minimum)–\(maximum)" }

    /// The highest version that both sides speak (abi-v1.md section 5).
    ///
    /// - Throws: `noCommonVersion`, in words that name both ranges and the side to update.
    public func highestCommon(with plugin: VersionRange) throws(ABIError) -> UInt32 {
        guard plugin.minimum >= 1, plugin.minimum <= plugin.maximum else {
            throw ABIError(
                .malformedFrame, "the plugin offers the empty version range \(plugin.minimum)–\(plugin.maximum)")
        }
        let version = Swift.min(maximum, plugin.maximum)
        guard version >= Swift.max(minimum, plugin.minimum) else {
            let older = plugin.maximum < minimum ? "the plugin" : "Nexus"
            throw ABIError(
                .noCommonVersion, "the host speaks ABI \(self), the plugin ABI \(plugin); update \(older)")
        }
        return version
    }
}
