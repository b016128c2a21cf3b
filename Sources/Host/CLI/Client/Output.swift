internal import Foundation
internal import JSONBytes

/// Text for people, colour only on a terminal, JSON on request.
struct Output: Sendable {
    let isJSON: Bool
    private let isTerminal = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

    init(isJSON: Bool) { self.isJSON = isJSON }

    func line(_ text: String = "") { print(text) }

    /// The JSON itself, or what `text` makes of it.
    func show(_ value: JSONValue, _ text: (JSONValue) -> Void) {
        if isJSON { print(value.text) } else { text(value) }
    }

    func bold(_ text: String) -> String { styled(text, "1") }
    func red(_ text: String) -> String { styled(text, "1;31") }
    func green(_ text: String) -> String { styled(text, "32") }
    func dim(_ text: String) -> String { styled(text, "2") }

    private func styled(_ text: String, _ code: String) -> String {
        isTerminal ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// Columns as wide as their longest cell, two spaces between.
    func table(_ header: [String], _ rows: [[String]]) {
        guard !rows.isEmpty else { return }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        let render = { (row: [String]) -> String in
            let line = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(
                separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        print(bold(render(header)))
        for row in rows { print(render(row)) }
    }
}

extension JSONValue {
    /// A member as text for people; a dash where there is none.
    func shown(_ name: String) -> String {
        switch self[name] {
        case .string(let text)?: text.printable
        case .null?, nil: "–"
        case .array(let items)?: items.map { $0.stringValue?.printable ?? $0.text }.joined(separator: ", ")
        case let value?: value.text
        }
    }

    func list(_ name: String) -> [JSONValue] { self[name]?.arrayValue ?? [] }
}
