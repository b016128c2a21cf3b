/// Finds the bytes of one member, so that a host can carry a value onward exactly as it was written.
public enum JSONSlice {
    /// The raw bytes of the value under `path`, a list of member names from the root; nil if there is none.
    ///
    /// - Throws: `JSONError` if the bytes are not one JSON document within `limits`.
    public static func bytes(
        at path: [String], in document: [UInt8], limits: JSONLimits = .standard
    ) throws(JSONError) -> [UInt8]? {
        var whole = JSONParser(bytes: document, limits: limits)
        _ = try whole.parseDocument()
        var parser = JSONParser(bytes: document, limits: limits)
        for name in path {
            guard try descend(into: name, &parser) else { return nil }
        }
        parser.skipSpace()
        let start = parser.position
        _ = try parser.parseValue()
        return Array(document[start..<parser.position])
    }

    /// Moves to the value of `name` in the object at the parser's position; false if it is no object or lacks the name.
    private static func descend(into name: String, _ parser: inout JSONParser) throws(JSONError) -> Bool {
        parser.skipSpace()
        guard parser.consume(UInt8(ascii: "{")) else { return false }
        while true {
            parser.skipSpace()
            if parser.peek() == UInt8(ascii: "}") { return false }
            if try parser.parseName().isIdentical(to: name) { return true }
            _ = try parser.parseValue()
            parser.skipSpace()
            guard parser.consume(UInt8(ascii: ",")) else { return false }
        }
    }
}
