internal import JSONBytes

/// The host's answer about its instances, as `nexus top` shows it.
struct TopLedger: Sendable {
    struct Row: Sendable {
        var instance: String
        var state: String
        var processID: Int
        var jail: String
        var memory: Int?
        var open: Int
        var calls: Int
        var failures: Int
        var denials: Int
        /// Microseconds.
        var median: Int?
        var percentile99: Int?
        /// Since the ledger before; nil in the first.
        var callsPerSecond: Double?
        /// It was denied something, or failed, since the ledger before.
        var isInTrouble = false
    }
    var rows: [Row]

    /// - Parameters:
    ///   - before: the last ledger, for rates.
    ///   - seconds: since then.
    init(_ answer: JSONValue, before: TopLedger? = nil, seconds: Double = 0) {
        let earlier = Dictionary((before?.rows ?? []).map { ($0.instance, $0) }) { first, _ in first }
        rows = answer.list("instances").map { Self.row($0, earlier, seconds) }
    }

    private static func row(_ entry: JSONValue, _ earlier: [String: Row], _ seconds: Double) -> Row {
        let number = { (name: String) in entry[name]?.intValue }
        var row = Row(
            instance: entry.shown("instance"), state: entry.shown("state"), processID: number("processID") ?? 0,
            jail: entry.shown("jail"), memory: number("memoryBytes"), open: number("callsOpen") ?? 0,
            calls: number("calls") ?? 0, failures: number("failures") ?? 0, denials: number("denials") ?? 0,
            median: number("medianMicroseconds"), percentile99: number("percentile99Microseconds"))
        if let user = entry["servedFor"]?.stringValue, user != "everyone" { row.instance += " \(user.printable)" }
        row.isInTrouble = row.state == "failed"
        guard let last = earlier[row.instance], seconds > 0 else { return row }
        row.callsPerSecond = Double(max(0, row.calls - last.calls)) / seconds
        row.isInTrouble = row.isInTrouble || row.denials > last.denials || row.failures > last.failures
        return row
    }

    var memory: Int { rows.compactMap(\.memory).reduce(0, +) }
    var callsPerSecond: Double? {
        let rates = rows.compactMap(\.callsPerSecond)
        return rates.isEmpty ? nil : rates.reduce(0, +)
    }
}

/// Numbers in at most five characters.
enum TopNumber {
    static func count(_ value: Int) -> String {
        scaled(Double(value), ["", "k", "M", "G", "T"], 1_000, from: 100_000)
    }

    static func bytes(_ value: Int?) -> String {
        value.map { scaled(Double($0), ["B", "K", "M", "G", "T"], 1_024, from: 1_024) } ?? "unknown"
    }

    static func microseconds(_ value: Int?) -> String {
        guard let value else { return "–" }
        return value < 1_000
            ? "\(value)µs"
            : value < 1_000_000 ? short(Double(value) / 1_000) + "ms" : short(Double(value) / 1_000_000) + "s"
    }

    static func rate(_ value: Double?) -> String { value.map { $0 < 1_000 ? short($0) : count(Int($0)) } ?? "–" }

    private static func scaled(_ value: Double, _ units: [String], _ step: Double, from least: Double) -> String {
        guard value >= least else { return "\(Int(value))\(units[0])" }
        var (value, unit) = (value, 0)
        while value >= step, unit + 1 < units.count { (value, unit) = (value / step, unit + 1) }
        return short(value) + units[unit]
    }

    /// One digit behind the point below 10.
    private static func short(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        guard tenths < 100, !tenths.isMultiple(of: 10) else { return "\(Int(value.rounded()))" }
        return "\(tenths / 10).\(tenths % 10)"
    }
}
