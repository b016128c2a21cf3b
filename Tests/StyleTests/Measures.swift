/// The sizes that rule 9 bounds.
enum Measure: String, Sendable, CaseIterable {
    /// Lines of a file.
    case file
    /// Lines of a file's longest function.
    case function
    /// Lines of a file that are too wide.
    case wide

    static let widthLimit = 120

    var limit: Int {
        switch self {
        case .file: 400
        case .function: 70
        case .wide: 0
        }
    }

    /// - Returns: the measured number, and where it was found.
    func value(of file: SourceTree.File) -> (number: Int, place: String) {
        switch self {
        case .file: return (file.lines.count - 1, "")
        case .function:
            let longest = Functions.all(in: file).max { $0.lines < $1.lines }
            return (longest?.lines ?? 0, longest.map { "line \($0.start): \($0.name)" } ?? "")
        case .wide:
            let wide = file.lines.enumerated().filter { line in
                line.element.utf8.count > Self.widthLimit && line.element.count > Self.widthLimit
            }.map { $0.offset + 1 }
            return (wide.count, "lines \(wide.map(String.init).joined(separator: ", "))")
        }
    }
}

/// Functions of a file, found by layout: a declaration ends at the first line that closes it at its own indentation.
enum Functions {
    struct Function {
        var name: String
        var start: Int
        var lines: Int
    }

    static func all(in file: SourceTree.File) -> [Function] {
        if file.path.hasSuffix(".py") { return python(file.lines) }
        let isSwift = file.path.hasSuffix(".swift")
        return braced(file.lines) { isSwift ? isSwiftFunction($0) : isCFunction($0) }
    }

    private static func braced(_ lines: [String], _ isFunction: (String) -> Bool) -> [Function] {
        lines.indices.filter { isFunction(lines[$0]) }.map { start in
            let depth = indentation(lines[start])
            var end = start
            for index in (start + 1)..<max(lines.count, start + 1) where !isBlank(lines[index]) {
                let line = lines[index]
                guard indentation(line) <= depth else { continue }
                let rest = line.drop { $0 == " " }
                // `) throws -> Value {` and `where` continue the declaration.
                if [")", "where", "{", "#"].contains(where: { rest.hasPrefix($0) }) { continue }
                if rest.hasPrefix("}"), indentation(line) == depth { end = index }
                break
            }
            return Function(name: String(lines[start].drop { $0 == " " }), start: start + 1, lines: end - start + 1)
        }
    }

    private static func python(_ lines: [String]) -> [Function] {
        lines.indices.filter { lines[$0].drop { $0 == " " }.hasPrefix("def ") }.map { start in
            let depth = indentation(lines[start])
            var end = start
            for index in (start + 1)..<max(lines.count, start + 1) where !isBlank(lines[index]) {
                if indentation(lines[index]) <= depth, !lines[index].drop(while: { $0 == " " }).hasPrefix(")") { break }
                end = index
            }
            return Function(name: String(lines[start].drop { $0 == " " }), start: start + 1, lines: end - start + 1)
        }
    }

    private static func isSwiftFunction(_ line: String) -> Bool {
        let words = line.split(separator: " ")
        let modifiers: Set<Substring> = [
            "public", "package", "internal", "fileprivate", "private", "static", "mutating", "override", "convenience",
            "nonisolated", "required", "final", "isolated", "class", "consuming", "borrowing",
        ]
        guard let word = words.first(where: { !modifiers.contains($0) && !$0.hasPrefix("@") }) else { return false }
        let others = ["init(", "init?", "init<", "deinit", "subscript"]
        return word == "func" || word == "var" || others.contains { word.hasPrefix($0) }
    }

    private static func isCFunction(_ line: String) -> Bool {
        guard let first = line.first, first.isLetter || first == "_" else { return false }
        return line.contains("(") && line.hasSuffix("{")
    }

    private static func indentation(_ line: String) -> Int { line.prefix { $0 == " " }.count }
    private static func isBlank(_ line: String) -> Bool { line.allSatisfy { $0 == " " } }
}
