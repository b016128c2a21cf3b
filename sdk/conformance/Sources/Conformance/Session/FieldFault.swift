internal import PluginABI

/// Which requirement a body breaks that the reference refuses.
enum FieldFault {
    static func rule(of error: ABIError, in frame: Frame) -> String {
        if error.code == .unknownCriticalField { return Rule.criticalFields }
        let fields = fields(of: frame.body)
        if frame.kind == .data, fields.contains(where: { $0.tag == 1 && $0.length == 0 }) { return Rule.emptyData }
        let isRepeated = Set(fields.map(\.tag)).count < fields.count
        return error.code == .malformedFrame && isRepeated ? Rule.repeats : Rule.fields
    }

    /// Tags and lengths as far as they can be read.
    private static func fields(of body: [UInt8]) -> [(tag: Int, length: Int)] {
        var found: [(tag: Int, length: Int)] = []
        var at = 0
        while at + 6 <= body.count {
            let length = (0..<4).reduce(0) { $0 | Int(body[at + 2 + $1]) << (8 * $1) }
            found.append((tag: Int(body[at]) | Int(body[at + 1]) << 8, length: length))
            at += 6 + length
        }
        return found
    }
}
