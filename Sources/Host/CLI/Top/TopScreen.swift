internal import JSONBytes

/// What `nexus top` draws, as lines: no terminal is needed to know it.
struct TopScreen: Sendable {
    var columns: Int
    var rows: Int
    var hasColours = true

    struct Column: Sendable {
        var title: String
        var width: Int
        /// The narrower the screen, the fewer are shown: those with the lowest numbers.
        var rank: Int
        var text: @Sendable (TopLedger.Row) -> String
    }

    /// In the order of the screen. The first takes the room that is left, and is aligned left.
    static let all = [
        Column(title: "INSTANCE", width: 14, rank: 0) { $0.instance },
        Column(title: "STATE", width: 8, rank: 6) { $0.state },
        Column(title: "PID", width: 7, rank: 7) { "\($0.processID)" },
        Column(title: "JAIL", width: 6, rank: 8) { $0.jail },
        Column(title: "MEMORY", width: 7, rank: 3) { TopNumber.bytes($0.memory) },
        Column(title: "CALLS", width: 5, rank: 1) { TopNumber.count($0.calls) },
        Column(title: "P50", width: 5, rank: 5) { TopNumber.microseconds($0.median) },
        Column(title: "P99", width: 5, rank: 2) { TopNumber.microseconds($0.percentile99) },
        Column(title: "DENIED", width: 6, rank: 4) { TopNumber.count($0.denials) },
        Column(title: "/S", width: 5, rank: 9) { TopNumber.rate($0.callsPerSecond) },
        Column(title: "FAILED", width: 6, rank: 10) { TopNumber.count($0.failures) },
        Column(title: "OPEN", width: 4, rank: 11) { TopNumber.count($0.open) },
    ]

    /// The columns that fit, with the room that each gets.
    static func fitting(_ columns: Int) -> [Column] {
        var (kept, used) = (Set<Int>(), 0)
        for column in all.sorted(by: { $0.rank < $1.rank }) {
            let more = column.width + (kept.isEmpty ? 0 : 1)
            guard used + more <= columns else { break }
            kept.insert(column.rank)
            used += more
        }
        var chosen = all.filter { kept.contains($0.rank) || $0.rank == 0 }
        chosen[0].width += columns - max(used, chosen[0].width)
        return chosen
    }

    /// At most `rows` lines of at most `columns` characters.
    ///
    /// - Parameter trouble: why the ledger is not fresh.
    func lines(_ ledger: TopLedger, trouble: String? = nil) -> [String] {
        var lines = [fit(title(ledger)).styled("1", hasColours)]
        if let trouble { lines.append(fit(trouble.printable).styled("31", hasColours)) }
        let chosen = Self.fitting(columns)
        lines.append(line(chosen.map(\.title), chosen).styled("7", hasColours))
        let room = max(0, rows - lines.count)
        // What does not fit is said on the last line.
        let shown = ledger.rows.count <= room ? room : max(0, room - 1)
        for row in ledger.rows.prefix(shown) {
            lines.append(
                line(chosen.map { $0.text(row) }, chosen).styled("31", hasColours && row.isInTrouble))
        }
        let rest = ledger.rows.count - shown
        if rest > 0 { lines.append(fit("… \(rest) more")) }
        return Array(lines.prefix(max(rows, 1)))
    }

    private func title(_ ledger: TopLedger) -> String {
        var parts = ["nexus top  q quits", "\(ledger.rows.count) running", TopNumber.bytes(ledger.memory)]
        if let rate = ledger.callsPerSecond { parts.append("\(TopNumber.rate(rate)) calls/s") }
        return parts.joined(separator: "  ")
    }

    private func line(_ texts: [String], _ chosen: [Column]) -> String {
        let cells = zip(texts, chosen).enumerated().map { index, cell in
            let (text, width) = (String(cell.0.prefix(cell.1.width)), cell.1.width)
            let blank = String(repeating: " ", count: width - text.count)
            return index == 0 ? text + blank : blank + text
        }
        return fit(cells.joined(separator: " "))
    }

    private func fit(_ text: String) -> String { String(text.prefix(columns)) }

    /// One frame for a terminal: each line replaces what stood there, so that nothing flickers.
    func frame(_ ledger: TopLedger, trouble: String? = nil) -> String {
        let body = lines(ledger, trouble: trouble).map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        return "\u{1B}[H\(body)\u{1B}[J"
    }
}

extension String {
    /// SGR (ECMA-48, 8.3.117).
    fileprivate func styled(_ code: String, _ isOn: Bool) -> String { isOn ? "\u{1B}[\(code)m\(self)\u{1B}[0m" : self }
}
