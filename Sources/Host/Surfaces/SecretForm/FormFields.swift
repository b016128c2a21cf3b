internal import PluginABI

/// The fields of a submitted form (`application/x-www-form-urlencoded`, URL Standard section 5.1), read strictly: a
/// field that comes twice or cannot be decoded spoils the whole. Values are kept as secrets, all of them.
struct FormFields {
    /// More fields than any of our forms has.
    static let limit = 64
    private let fields: [String: SecretBytes]

    /// Nil for what is no form.
    init?(_ body: SecretBytes) {
        guard let fields = body.withBytes(Self.parse) else { return nil }
        self.fields = fields
    }

    private static func parse(_ body: UnsafeRawBufferPointer) -> [String: SecretBytes]? {
        var fields: [String: SecretBytes] = [:]
        let parts = body.split(separator: UInt8(ascii: "&"))
        guard parts.count <= limit else { return nil }
        for part in parts {
            let end = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard var name = decode(part[..<end]), var value = decode(part[end...].dropFirst()) else {
                return nil
            }
            defer {
                name.wipe()
                value.wipe()
            }
            guard let text = String(validating: name, as: UTF8.self), fields[text] == nil else { return nil }
            fields[text] = SecretBytes(copying: value)
        }
        return fields
    }

    func secret(_ name: String) -> SecretBytes? { fields[name] }

    /// Of a field that is no secret.
    func text(_ name: String) -> String? {
        fields[name]?.withBytes { String(validating: $0, as: UTF8.self) }
    }

    private static func decode(_ bytes: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    decoded.wipe()
                    return nil
                }
                decoded.append(high << 4 | low)
            default: decoded.append(byte)
            }
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
