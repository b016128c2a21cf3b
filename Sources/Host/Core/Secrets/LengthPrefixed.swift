/// Parts of text as one run of bytes: each after its length (32 bits, little-endian), so that no two lists read alike.
enum LengthPrefixed {
    static func join(_ parts: [String]) -> [UInt8] {
        var data: [UInt8] = []
        for part in parts {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.utf8.count).littleEndian) {
                data.append(contentsOf: $0)
            }
            data.append(contentsOf: part.utf8)
        }
        return data
    }
}
