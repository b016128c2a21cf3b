internal import JSONBytes

extension CheckResult {
    /// One line, or several where there is something to explain.
    public func text(isTerminal: Bool) -> String {
        let style = TextStyle(isTerminal: isTerminal)
        let head = "\(requirement.padded(to: 9)) \(title.printable)"
        switch outcome {
        case .passed: return "\(style.mark("pass", .green)) \(head)"
        case .skipped(let reason):
            return "\(style.mark("SKIP", .yellow)) \(head)\n               \(reason.printable)"
        case .failed(let why, let remedy, let transcript):
            var lines = ["\(style.mark("FAIL", .red)) \(style.bold(head))", "               \(why.printable)"]
            if !remedy.isEmpty { lines.append("               fix: \(remedy.printable)") }
            if !transcript.isEmpty {
                lines.append("               frames: \(transcript.joined(separator: " · ").printable)")
            }
            return lines.joined(separator: "\n")
        }
    }
}

extension CheckResult {
    fileprivate func isSkipped(for reasons: [String]) -> Bool {
        if case .skipped(let reason) = outcome { return reasons.contains(reason) }
        return false
    }
}

extension ConformanceReport {
    /// What a person reads; for a terminal with colours, else plain.
    public func text(isTerminal: Bool) -> String {
        var lines: [String] = []
        var group = ""
        let repeated = repeatedReasons()
        for result in results where !result.isSkipped(for: repeated) {
            if result.group != group {
                if !group.isEmpty { lines.append("") }
                group = result.group
                lines.append(TextStyle(isTerminal: isTerminal).bold(group.printable))
            }
            lines.append(result.text(isTerminal: isTerminal))
        }
        for reason in repeated {
            let skips = skipped.filter { $0.outcome == .skipped(reason: reason) }
            if !lines.isEmpty { lines.append("") }
            lines.append(
                "\(TextStyle(isTerminal: isTerminal).mark("SKIP", .yellow)) \(skips.count) checks for one reason")
            lines.append("               \(reason.printable)")
            lines.append("               of: \(Self.listed(skips.map(\.requirement)))")
        }
        return (lines + ["", summary(isTerminal: isTerminal), ""]).joined(separator: "\n")
    }

    /// Reasons that more than three checks share, each told once.
    private func repeatedReasons() -> [String] {
        var counts: [String: Int] = [:]
        var order: [String] = []
        for case .skipped(let reason) in results.map(\.outcome) {
            if counts[reason] == nil { order.append(reason) }
            counts[reason, default: 0] += 1
        }
        return order.filter { counts[$0, default: 0] > 3 }
    }

    /// Each name once, in the order in which they come.
    private static func listed(_ names: [String]) -> String {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }.joined(separator: ", ")
    }

    /// The last lines: counts, and the verdict in words.
    public func summary(isTerminal: Bool) -> String {
        let style = TextStyle(isTerminal: isTerminal)
        let which = isPartial ? " of those asked for" : ""
        var text = "\(subject.printable): \(results.count) checks\(which), \(passed.count) passed"
        text += ", \(failed.count) failed, \(skipped.count) skipped, \(Self.seconds(milliseconds)) s"
        let broken = Set(failed.map(\.requirement)).sorted()
        if !broken.isEmpty { text += "\n" + style.bold("does not conform: \(broken.joined(separator: ", "))") }
        if !skipped.isEmpty {
            text += "\n\(skipped.count) checks were SKIPPED: nothing is known about what they would have shown."
        } else if broken.isEmpty {
            let all = isPartial ? "of those asked for" : "that can be seen from outside"
            text += "\n" + style.bold("the \(side.printable) keeps every requirement \(all)")
        }
        return text
    }

    /// Milliseconds as seconds with one digit after the point, without Foundation.
    static func seconds(_ milliseconds: Int) -> String {
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// Colours where somebody looks, none where a file or a pipe does.
struct TextStyle {
    enum Colour: String { case red = "31", green = "32", yellow = "33" }
    var isTerminal: Bool

    func mark(_ text: String, _ colour: Colour) -> String {
        isTerminal ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    func bold(_ text: String) -> String { isTerminal ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}
