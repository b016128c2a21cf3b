internal import JSONBytes

/// The header of one file in a bundle: the subset of ustar (POSIX.1-1988) that a bundle may hold, in its one spelling.
struct TarHeader: Equatable {
    static let blockBytes = 512
    static let nameBytes = 100
    private static let checksumField = 148..<156

    /// ASCII, at most `nameBytes`.
    var name: String
    var size: Int
    var isExecutable: Bool

    /// The header's 512 bytes. Everything but name, size, mode and checksum is the same in every header.
    var encoded: [UInt8] {
        var block: [UInt8] = []
        block.reserveCapacity(Self.blockBytes)
        block += Self.padded(name.utf8, to: Self.nameBytes)
        for (value, width) in [(isExecutable ? 0o755 : 0o644, 8), (0, 8), (0, 8), (size, 12), (0, 12)] {
            block += Self.octal(value, width: width)  // mode, owner, group, size, time
        }
        block += Self.padded("        0".utf8, to: 8 + 1 + 100)  // checksum (blank while it is summed), type, link
        block += Self.padded("ustar\u{0}00".utf8, to: 8 + 32 + 32)  // magic, version, names of owner and group
        block += Self.octal(0, width: 8) + Self.octal(0, width: 8)  // device numbers
        block += [UInt8](repeating: 0, count: Self.blockBytes - block.count)  // prefix, rest
        let sum = block.reduce(0) { $0 + Int($1) }
        block.replaceSubrange(Self.checksumField, with: Self.octal(sum, width: 7) + [0x20])
        return block
    }

    init(name: String, size: Int, isExecutable: Bool) {
        self.name = name
        self.size = size
        self.isExecutable = isExecutable
    }

    /// - Throws: `RegistryError.Code.invalidBundle` for a block that this type would not have written.
    init(parsing block: ArraySlice<UInt8>) throws(RegistryError) {
        let field = { (offset: Int, width: Int) in
            block.dropFirst(offset).prefix(width).prefix { $0 != 0 && $0 != 0x20 }
        }
        guard block.count == Self.blockBytes, block.dropFirst(257).starts(with: "ustar\u{0}00".utf8) else {
            throw Self.refused("it is not a ustar archive at this place; make it with `nexus pack`")
        }
        let sum = block.reduce(0) { $0 + Int($1) } + 8 * 0x20
        let blanked = sum - block.dropFirst(Self.checksumField.lowerBound).prefix(8).reduce(0) { $0 + Int($1) }
        guard Self.number(field(Self.checksumField.lowerBound, 8)) == blanked else {
            throw Self.refused("a header's checksum is wrong: the file is damaged")
        }
        let nameBytes = field(0, Self.nameBytes)
        name = String(decoding: nameBytes, as: UTF8.self)
        let type = block.dropFirst(156).first ?? 0
        guard type == UInt8(ascii: "0") else {
            let shown = type == 0 ? "NUL" : JSONValue.quoted(String(UnicodeScalar(type)))
            throw Self.refused(
                "\(JSONValue.quoted(name)) is no regular file (type \(shown)); a bundle holds nothing else")
        }
        guard nameBytes.allSatisfy({ $0 < 0x80 }), let size = Self.number(field(124, 12)) else {
            throw Self.refused("\(JSONValue.quoted(name)) has a name or a size that cannot be read")
        }
        self.size = size
        isExecutable = Self.number(field(100, 8)) == 0o755
        guard encoded.elementsEqual(block) else {
            throw Self.refused(
                "the header of \(JSONValue.quoted(name)) is not the canonical one (mode 0644 or 0755, no owner, "
                    + "no time, no link); make the bundle with `nexus pack`")
        }
    }

    private static func padded(_ text: some Collection<UInt8>, to width: Int) -> [UInt8] {
        Array(text.prefix(width)) + [UInt8](repeating: 0, count: max(0, width - text.count))
    }

    /// Octal digits and a closing NUL.
    private static func octal(_ value: Int, width: Int) -> [UInt8] {
        let digits = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(0, width - 1 - digits.utf8.count)) + digits).utf8) + [0]
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 12, digits.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }

    private static func refused(_ reason: String) -> RegistryError { RegistryError(.invalidBundle, reason) }
}
