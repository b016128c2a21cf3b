/// Prometheus' text exposition format, version 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats, "Text-based format").
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    private(set) var text = ""

    mutating func family(_ name: String, _ kind: MetricFamily.Kind, help: String) {
        if !help.isEmpty { text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n" }
        text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    /// - Parameter labels: from `labels(_:)`.
    mutating func sample(_ name: String, _ labels: String, _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// Cumulative buckets, the sum and the count.
    ///
    /// - Parameter scale: how many units of an observation make one of the metric.
    mutating func histogram(_ name: String, _ labels: String, _ cell: HistogramCell, scale: Int64) {
        let counts = cell.value
        let before = labels.isEmpty ? "" : labels + ","
        var total: UInt64 = 0
        for (bound, count) in zip(cell.bounds, counts.buckets) {
            total += count
            sample("\(name)_bucket", "\(before)le=\"\(Self.decimal(bound, scale: scale))\"", "\(total)")
        }
        total += counts.buckets[cell.bounds.count]
        sample("\(name)_bucket", "\(before)le=\"+Inf\"", "\(total)")
        sample("\(name)_sum", labels, Self.decimal(counts.sum, scale: scale))
        sample("\(name)_count", labels, "\(total)")
    }

    /// `a="x",b="y"`, with names made valid and values escaped.
    static func labels(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(name($0.0, colons: false))=\"\(escaped($0.1, quotes: true))\"" }.joined(separator: ",")
    }

    /// A name of the format: letters, digits and _ (in metrics also :), not beginning with a digit.
    static func name(_ text: String, colons: Bool = true) -> String {
        let clean = String(
            decoding: text.utf8.map { byte -> UInt8 in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: byte
                case 0x3A where colons: byte
                default: 0x5F
                }
            }, as: UTF8.self)
        return clean.utf8.first.map { (0x30...0x39).contains($0) } ?? true ? "_" + clean : clean
    }

    /// A backslash and a line feed are escaped everywhere, a quote in label values.
    static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `value / scale` without rounding, for a scale that is a power of ten.
    static func decimal(_ value: Int64, scale: Int64) -> String {
        guard scale > 1 else { return "\(value)" }
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: scale.magnitude)
        let sign = value < 0 ? "-" : ""
        guard rest > 0 else { return "\(sign)\(whole)" }
        var digits = String(String(scale.magnitude + rest).dropFirst())
        while digits.last == "0" { digits.removeLast() }
        return "\(sign)\(whole).\(digits)"
    }
}
