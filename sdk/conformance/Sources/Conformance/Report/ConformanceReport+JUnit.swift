internal import JSONBytes

extension ConformanceReport {
    /// JUnit XML as CI systems read it: one suite a group, one case a check.
    public var junit: String {
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        let totals = Self.counts(results)
        lines.append("<testsuites name=\"\(Self.escaped(subject))\" \(totals) time=\"\(Self.time(milliseconds))\">")
        var groups: [String] = []
        for result in results where !groups.contains(result.group) { groups.append(result.group) }
        for group in groups {
            let own = results.filter { $0.group == group }
            let time = Self.time(own.reduce(0) { $0 + $1.milliseconds })
            lines.append("  <testsuite name=\"\(Self.escaped(group))\" \(Self.counts(own)) time=\"\(time)\">")
            lines += own.map(Self.testCase)
            lines.append("  </testsuite>")
        }
        return (lines + ["</testsuites>", ""]).joined(separator: "\n")
    }

    private static func counts(_ results: [CheckResult]) -> String {
        let failures = results.count(where: \.isFailure)
        return "tests=\"\(results.count)\" failures=\"\(failures)\" errors=\"0\""
            + " skipped=\"\(results.count(where: \.isSkip))\""
    }

    private static func testCase(_ result: CheckResult) -> String {
        let name = escaped("\(result.requirement) \(result.title)")
        let head = "    <testcase classname=\"\(escaped(result.requirement))\" name=\"\(name)\""
        let open = "\(head) time=\"\(time(result.milliseconds))\""
        switch result.outcome {
        case .passed: return "\(open)/>"
        case .skipped(let reason): return "\(open)><skipped message=\"\(escaped(reason))\"/></testcase>"
        case .failed(let why, let remedy, let transcript):
            let detail = "fix: \(remedy)\nframes: \(transcript.joined(separator: ", "))"
            return "\(open)><failure message=\"\(escaped(why))\">\(escaped(detail))</failure></testcase>"
        }
    }

    private static func time(_ milliseconds: Int) -> String {
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }

    /// Text for an attribute or an element. XML 1.0 cannot carry control characters or U+FFFE at all, not even as
    /// references: they are shown as `\u{1B}`.
    static func escaped(_ text: String) -> String {
        var safe = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&apos;"
            case "\n": safe += "&#10;"
            case "\u{FFFE}", "\u{FFFF}": safe += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: safe += String(scalar).printable
            }
        }
        return safe
    }
}
