/// Parameters in order, percent-encoded as they go on the wire. A signature covers exactly these bytes.
struct FormQuery: Sendable, Equatable {
    private(set) var encoded = ""

    init(_ parameters: [(name: String, value: String)] = []) {
        for parameter in parameters { append(parameter.name, parameter.value) }
    }

    mutating func append(_ name: String, _ value: String) {
        if !encoded.isEmpty { encoded += "&" }
        encoded += Self.percentEncoded(name) + "=" + Self.percentEncoded(value)
    }

    /// Leaves the unreserved characters of RFC 3986 section 2.3 and encodes every other byte of the UTF-8 form.
    static func percentEncoded(_ text: String) -> String {
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default:
                output.append(UInt8(ascii: "%"))
                output.append(contentsOf: [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]])
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)
}
