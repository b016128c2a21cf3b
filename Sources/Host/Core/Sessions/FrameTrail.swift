internal import PluginABI

/// The kinds of the last frames in one direction, without what they carried. A few bytes in place: noting one allocates
/// nothing.
struct FrameTrail: Sendable {
    static let length = 16
    private var kinds = InlineArray<16, UInt8>(repeating: 0)
    private var count = 0

    mutating func note(_ kind: UInt8) {
        kinds[count % Self.length] = kind
        count &+= 1
    }

    /// Oldest first; a kind that the ABI does not know is its number.
    var names: [String] {
        (max(0, count - Self.length)..<count).map { index in
            let kind = kinds[index % Self.length]
            return FrameKind(rawValue: kind).map { "\($0)" } ?? "\(kind)"
        }
    }
}
