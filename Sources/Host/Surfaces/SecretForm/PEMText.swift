internal import PluginABI

/// A password field cannot hold line breaks, so a key in PEM (RFC 7468) arrives as one line. It gets them back, because
/// programs that read PEM want them; anything else stays as it came.
enum PEMText {
    static func restored(_ value: SecretBytes) -> SecretBytes {
        guard var text = value.withBytes(lines) else { return value }
        defer { text.wipe() }
        return SecretBytes(copying: text)
    }

    /// Nil for what is not PEM on one line.
    private static func lines(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        let (begin, dashes) = (Array("-----BEGIN ".utf8), Array("-----".utf8))
        guard bytes.starts(with: begin), !bytes.contains(0x0A),
            let labelEnd = find(dashes, in: bytes, from: begin.count)
        else { return nil }
        let label = Array(bytes[begin.count..<labelEnd])
        let end = Array("-----END ".utf8) + label + dashes
        let bodyStart = labelEnd + dashes.count
        guard let bodyEnd = find(end, in: bytes, from: bodyStart),
            bytes[(bodyEnd + end.count)...].allSatisfy({ $0 == 0x20 })
        else { return nil }
        // No array here grows: what it grew out of would not be wiped.
        var body: [UInt8] = []
        body.reserveCapacity(bodyEnd - bodyStart)
        defer { body.wipe() }
        for byte in bytes[bodyStart..<bodyEnd] where byte != 0x20 { body.append(byte) }
        guard !body.isEmpty, body.allSatisfy(isBase64) else { return nil }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2 + 64)
        text += begin + label + dashes + [0x0A]
        for start in stride(from: 0, to: body.count, by: 64) {
            text += body[start..<min(start + 64, body.count)]
            text.append(0x0A)
        }
        text += end + [0x0A]
        return text
    }

    private static func find(_ wanted: [UInt8], in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start + wanted.count <= bytes.count else { return nil }
        return (start...(bytes.count - wanted.count)).first { bytes[$0...].starts(with: wanted) }
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
