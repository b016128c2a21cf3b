extension Unicode.Scalar {
    /// Whether a terminal or a reader could be misled by it: control characters, line separators, invisible marks and
    /// direction overrides.
    var misleads: Bool {
        switch self {
        case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{200B}"..."\u{200F}", "\u{2028}"..."\u{202E}",
            "\u{2060}"..."\u{2069}", "\u{FEFF}":
            true
        default: false
        }
    }
}

extension StringProtocol {
    /// The text for one line of a log or a terminal: every scalar that could steer it is written as `\u{1B}`.
    public var printable: String {
        guard unicodeScalars.contains(where: \.misleads) else { return String(self) }
        var safe = ""
        for scalar in unicodeScalars {
            safe += scalar.misleads ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : String(scalar)
        }
        return safe
    }
}
