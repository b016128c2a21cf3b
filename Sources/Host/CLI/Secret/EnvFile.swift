internal import PluginABI

/// A `.env` file: `NAME=value` lines as shells and the dotenv libraries write them. There is no specification; what is
/// read here is what they agree on. `export` may come first; `#` begins a comment, in an unquoted value only after a
/// blank. In single quotes and backquotes everything is literal; in double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$`
/// are escapes; quoted values may have several lines. Nothing is expanded: a value that refers to a variable is none.
struct EnvFile {
    struct Entry: Equatable {
        var name: String
        var value: [UInt8]
        /// Of its name, from 1.
        var line: Int
    }

    /// In the order of the file. Of a name that stands there twice the last counts.
    private(set) var entries: [Entry] = []
    /// Lines that say nothing readable.
    private(set) var bad: [Int] = []

    private var rest: ArraySlice<UInt8>
    private var line = 1

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while !rest.isEmpty { readLine() }
        rest = []
    }

    mutating func wipe() {
        for index in entries.indices { entries[index].value.wipe() }
    }

    private mutating func readLine() {
        let start = line
        skipBlanks()
        if !isAtEnd, rest.first != UInt8(ascii: "#") {
            if let entry = readEntry(start) {
                entries.removeAll { $0.name == entry.name }
                entries.append(entry)
            } else {
                bad.append(start)
            }
        }
        skipRest()
    }

    private mutating func readEntry(_ start: Int) -> Entry? {
        var name = readName()
        if name == "export", rest.first == 0x20 || rest.first == 0x09 {
            skipBlanks()
            name = readName()
        }
        skipBlanks()
        guard let name, rest.first == UInt8(ascii: "=") else { return nil }
        rest.removeFirst()
        skipBlanks()
        let value: [UInt8]?
        switch rest.first {
        case UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "\""): value = readQuoted(rest.removeFirst())
        default: value = readPlain()
        }
        return value.map { Entry(name: name, value: $0, line: start) }
    }

    private mutating func readName() -> String? {
        let name = rest.prefix { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard let first = name.first, first >= UInt8(ascii: "A") else { return nil }
        rest = rest.dropFirst(name.count)
        return String(decoding: name, as: UTF8.self)
    }

    /// To the quote's end, over lines if need be. Nil where it has none, or more than a comment follows.
    private mutating func readQuoted(_ quote: UInt8) -> [UInt8]? {
        var value: [UInt8] = []
        let (from, at) = (rest, line)
        while let byte = rest.popFirst() {
            if byte == quote {
                skipBlanks()
                guard isAtEnd || rest.first == UInt8(ascii: "#") else { return nil }
                return quote == UInt8(ascii: "\"") && Self.refers(value) ? nil : value
            }
            if byte == 0x0A { line += 1 }
            guard quote == UInt8(ascii: "\""), byte == UInt8(ascii: "\\"), let next = rest.first else {
                value.append(byte)
                continue
            }
            rest.removeFirst()
            if next == 0x0A { line += 1 }
            value += Self.escapes[next] ?? [byte, next]
        }
        // Without an end the quote takes no more than its own line with it.
        (rest, line) = (from, at)
        value.wipe()
        return nil
    }

    private static let escapes: [UInt8: [UInt8]] = [
        UInt8(ascii: "n"): [0x0A], UInt8(ascii: "r"): [0x0D], UInt8(ascii: "t"): [0x09],
        UInt8(ascii: "\""): [UInt8(ascii: "\"")], UInt8(ascii: "\\"): [UInt8(ascii: "\\")],
        UInt8(ascii: "$"): [UInt8(ascii: "$")],
    ]

    private mutating func readPlain() -> [UInt8]? {
        var value: [UInt8] = []
        while !isAtEnd, let byte = rest.first {
            let isAfterBlank = value.isEmpty || value.last == 0x20 || value.last == 0x09
            if byte == UInt8(ascii: "#"), isAfterBlank { break }
            value.append(byte)
            rest.removeFirst()
        }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        return Self.refers(value) || Self.isCutOff(value) ? nil : value
    }

    /// A key in PEM whose other lines are not part of it, for want of quotes.
    private static func isCutOff(_ value: [UInt8]) -> Bool {
        value.starts(with: Array("-----BEGIN ".utf8)) && value.firstRange(of: Array("-----END ".utf8)) == nil
    }

    /// `${NAME}` is another value's place.
    private static func refers(_ value: [UInt8]) -> Bool {
        zip(value, value.dropFirst()).contains { $0 == UInt8(ascii: "$") && $1 == UInt8(ascii: "{") }
    }

    private var isAtEnd: Bool { rest.isEmpty || rest.first == 0x0A || rest.starts(with: [0x0D, 0x0A]) }

    private mutating func skipBlanks() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }

    private mutating func skipRest() {
        rest = rest.drop { $0 != 0x0A }
        if rest.popFirst() != nil { line += 1 }
    }
}
