/// application/x-www-form-urlencoded (WHATWG URL section 5.1), read strictly.
enum FormEncoding {
    /// The fields in the order of the text.
    ///
    /// - Throws: `APIError.illegalCharacters` for a broken escape, a byte that had to be escaped, or no UTF-8.
    static func fields(_ bytes: [UInt8]) throws(APIError) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for segment in bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let equals = segment.firstIndex(of: UInt8(ascii: "="))
            let name = try decode(segment[..<(equals ?? segment.endIndex)])
            let value = try equals.map { (place) throws(APIError) in try decode(segment[(place + 1)...]) } ?? ""
            fields.append((name: name, value: value))
        }
        return fields
    }

    /// The same bytes without the segments called `name`: what is left is what was signed.
    static func removing(_ name: String, from bytes: [UInt8]) -> [UInt8] {
        let segments = bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
        let kept = segments.filter { segment in
            let key = segment.prefix { $0 != UInt8(ascii: "=") }
            return (try? decode(key)) != name
        }
        return kept.count == segments.count ? bytes : Array(kept.joined(separator: [UInt8(ascii: "&")]))
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) throws(APIError) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "+"): output.append(0x20)
            case UInt8(ascii: "%"):
                guard bytes.endIndex - position >= 2, let high = hexDigit(bytes[position]),
                    let low = hexDigit(bytes[position + 1])
                else { throw .illegalCharacters }
                output.append(high << 4 | low)
                position += 2
            case 0x21..<0x7F: output.append(byte)
            default: throw .illegalCharacters
            }
        }
        guard let text = String(validating: output, as: UTF8.self) else { throw .illegalCharacters }
        return text
    }

    /// The value of an ASCII hex digit in either case.
    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
