internal import JSONBytes

/// A new plugin's name, and the names that its files are made of.
struct ProjectName: Equatable {
    /// As in plugin.json: `my-plugin`.
    let plugin: String

    /// Long enough for people; tool names are made of it and may have 64 characters.
    static let limit = 48
    static let rule =
        "a–z, 0–9 and -, from a letter to a letter or digit, at most \(limit) characters"

    /// - Throws: `CommandFailure` with the rule, and a name that would do where one is near.
    init(_ text: String) throws(CommandFailure) {
        guard Self.isName(text) else {
            let near = Self.nearest(to: text)
            let hint = Self.isName(near) ? "; for example: \(near)" : "; for example: my-plugin"
            throw CommandFailure(
                "\"\(text.printable)\" is no name for a plugin: use \(Self.rule)\(hint)", exitCode: 64)
        }
        plugin = text
    }

    /// For Python modules and tools: `my_plugin`.
    var underscored: String { plugin.replacing("-", with: "_") }

    /// For Swift modules: `MyPlugin`.
    var camelCased: String {
        plugin.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...limit).contains(bytes.count), let first = bytes.first, let last = bytes.last else {
            return false
        }
        return isLetter(first) && last != hyphen && !text.contains("--")
            && bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == hyphen }
    }

    /// Lower case, hyphens for what separates words, nothing that may not stand in a name.
    private static func nearest(to text: String) -> String {
        var name = ""
        var wasLower = false
        for character in text {
            let isUpper = character.isUppercase
            if isUpper, wasLower { name += "-" }
            wasLower = character.isLowercase || character.isNumber
            let lower = character.lowercased()
            name += lower.utf8.allSatisfy { isLetter($0) || isDigit($0) } ? lower : "-"
        }
        let words = name.split(separator: "-").joined(separator: "-")
        let short = words.drop { !isLetter($0.utf8.first ?? 0) }.prefix(limit)
        return String(short.hasSuffix("-") ? short.dropLast() : short)
    }

    private static let hyphen = UInt8(ascii: "-")
    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
