internal import PluginABI

/// Frames by hand, wrong ones too: hexadecimal digits for the probe's `hex` word, in which `S` stands for the stream of
/// the call.
enum HostBytes {
    static func field(_ tag: UInt16, _ value: [UInt8]) -> [UInt8] {
        little(tag) + little(UInt32(value.count)) + value
    }

    static func field(_ tag: UInt16, _ text: String) -> [UInt8] { field(tag, Array(text.utf8)) }

    static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        Swift.withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func bytes(ofHex text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// A header, whatever it says.
    ///
    /// - Parameters:
    ///   - length: what it announces; by default the body's.
    ///   - stream: nil for the stream of the call.
    static func header(
        length: Int, kind: UInt8, flags: UInt8 = 0, reserved: UInt16 = 0, stream: UInt64? = nil
    ) -> String {
        let start = little(UInt32(truncatingIfNeeded: length)) + [kind, flags] + little(reserved)
        return hex(start) + (stream.map { hex(little($0)) } ?? "S")
    }

    /// A whole frame of a kind with these fields.
    static func frame(_ kind: FrameKind, stream: UInt64? = nil, _ fields: [UInt8]...) -> String {
        let body = Array(fields.joined())
        return header(length: body.count, kind: kind.rawValue, stream: stream) + hex(body)
    }

    static func result(_ json: String, stream: UInt64? = nil, and more: [UInt8] = []) -> String {
        frame(.result, stream: stream, field(1, json) + more)
    }

    /// Words that send these bytes, cut to what an argument may hold, as steps of one phase.
    static func steps(_ phase: String, _ hex: String, _ after: String = "") -> [String] {
        var steps: [String] = []
        var rest = Substring(hex)
        while !rest.isEmpty {
            // An even number of digits, and never more than the probe's buffer.
            var piece = rest.prefix(800)
            if piece.filter({ $0 != "S" }).count % 2 == 1 { piece = rest.prefix(799) }
            steps.append("\(phase): hex=\(piece)")
            rest = rest.dropFirst(piece.count)
        }
        return after.isEmpty ? steps : steps + ["\(phase): \(after)"]
    }
}
