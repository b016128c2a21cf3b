internal import PluginABI

/// The frames of a stream read in the simplest way: all of it is there, and nothing is spared.
struct FrameOracle {
    private(set) var frames: [Frame] = []
    private(set) var failure: ABIError.Code?
    /// Where the first frame starts that is not complete, or not one.
    private(set) var end = 0

    init(_ stream: [UInt8], bodyLimit: Int) {
        while stream.count - end >= 16, failure == nil {
            let header = stream[end..<end + 16].map { UInt64($0) }
            let length = Int(header[0] | header[1] << 8 | header[2] << 16 | header[3] << 24)
            let id = (0..<8).reduce(UInt64(0)) { $0 | header[8 + $1] << (8 * UInt64($1)) }
            if length > bodyLimit {
                failure = .frameTooLarge
            } else if let kind = FrameKind(rawValue: stream[end + 4]) {
                if header[5...7] != [0, 0, 0] { failure = .malformedFrame }
                guard failure == nil, stream.count - end - 16 >= length else { return }
                frames.append(Frame(kind: kind, stream: id, body: Array(stream[end + 16..<end + 16 + length])))
                end += 16 + length
            } else {
                failure = .unknownKind
            }
        }
    }
}
