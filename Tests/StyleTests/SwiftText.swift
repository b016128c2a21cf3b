/// Swift source reduced to what the compiler acts on: comments and the insides of strings become spaces, line breaks
/// stay. Code in an interpolation is kept.
struct SwiftText {
    private var input: [Character]
    private var position = 0
    private var output: [Character] = []

    static func code(of text: String) -> String {
        var scanner = SwiftText(input: Array(text))
        scanner.scanCode(untilParenthesis: false)
        return String(scanner.output)
    }

    private init(input: [Character]) { self.input = input }

    private func starts(with word: String) -> Bool {
        var index = position
        for character in word {
            guard index < input.count, input[index] == character else { return false }
            index += 1
        }
        return true
    }

    private mutating func keep() {
        output.append(input[position])
        position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < input.count {
            output.append(input[position].isNewline ? input[position] : " ")
            position += 1
        }
    }

    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while position < input.count {
            if starts(with: "//") {
                while position < input.count, !input[position].isNewline { blank() }
            } else if starts(with: "/*") {
                while position < input.count, !starts(with: "*/") { blank() }
                blank(2)
            } else if let hashes = openingQuote() {
                scanString(hashes: hashes)
            } else {
                if input[position] == "(" { depth += 1 }
                if input[position] == ")" { depth -= 1 }
                if untilParenthesis, depth < 0 { return }
                keep()
            }
        }
    }

    /// The number of # before a quote that begins a string here; nil if none does.
    private func openingQuote() -> Int? {
        var index = position
        while index < input.count, input[index] == "#" { index += 1 }
        return index < input.count && input[index] == "\"" ? index - position : nil
    }

    private mutating func scanString(hashes: Int) {
        let pounds = String(repeating: "#", count: hashes)
        blank(hashes)
        let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        blank(quote.count)
        while position < input.count {
            if starts(with: quote + pounds) { return blank(quote.count + hashes) }
            if starts(with: "\\" + pounds + "(") {
                blank(1 + hashes)
                keep()
                scanCode(untilParenthesis: true)
                if position < input.count { keep() }
            } else {
                blank(starts(with: "\\" + pounds) ? 2 + hashes : 1)
            }
        }
    }
}
