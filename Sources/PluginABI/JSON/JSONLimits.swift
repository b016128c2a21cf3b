/// What a document may cost. Sizes in bytes, depth in nested containers, members over the whole document.
public struct JSONLimits: Sendable {
    public var bytes: Int
    public var depth: Int
    public var values: Int

    public init(bytes: Int, depth: Int, values: Int) {
        self.bytes = bytes
        self.depth = depth
        self.values = values
    }

    public static let standard = JSONLimits(bytes: 8 << 20, depth: 64, values: 200_000)
}

/// Why a document was refused, and where.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    /// Byte offset of the trouble, from 0.
    public var offset: Int

    public var description: String { "\(message) (at byte \(offset))" }
}
