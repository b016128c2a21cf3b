// A jail in words, for a reviewer: a pure function of its policy, and the difference between two. Nothing here is asked
// of the kernel, so that a plugin can be judged on a machine that will never run it.
public import JSONBytes

/// What a jail is made of: named sections of entries.
public struct Explanation: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// What is there, or may be done.
        public var what: String
        /// How, and why.
        public var detail: String

        public init(_ what: String, _ detail: String = "") {
            self.what = what
            self.detail = detail
        }
    }

    public struct Section: Sendable, Equatable {
        public var name: String
        public var entries: [Entry]

        public init(_ name: String, _ entries: [Entry]) {
            self.name = name
            self.entries = entries
        }
    }

    public var sections: [Section]

    public init(sections: [Section]) { self.sections = sections }

    public subscript(name: String) -> [Entry] { sections.first { $0.name == name }?.entries ?? [] }

    public var json: JSONValue {
        .object(
            JSONObject(
                sections.map { section in
                    (
                        key: section.name,
                        value: .array(
                            section.entries.map { ["what": .string($0.what), "detail": .string($0.detail)] })
                    )
                }))
    }

    /// Entries with the same detail share a line.
    public var text: String {
        sections.map { section in
            var lines: [(what: [String], detail: String)] = []
            for entry in section.entries {
                if let last = lines.indices.last, lines[last].detail == entry.detail, !entry.detail.isEmpty {
                    lines[last].what.append(entry.what)
                } else {
                    lines.append(([entry.what], entry.detail))
                }
            }
            let shown = lines.map { line in
                "  \(line.what.joined(separator: ", "))\(line.detail.isEmpty ? "" : ": \(line.detail)")"
            }
            return ([section.name] + (shown.isEmpty ? ["  none"] : shown)).joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

/// What another version of a plugin gains and loses.
public struct ExplanationDifference: Sendable, Equatable {
    public enum Change: String, Sendable { case added, removed, changed }
    public struct Line: Sendable, Equatable {
        public var change: Change
        public var section, what: String
        /// The new detail, and the old one where it changed.
        public var detail: String
        public var before: String?
    }
    public let lines: [Line]

    public init(from old: Explanation, to new: Explanation) {
        var lines: [Line] = []
        let names = new.sections.map(\.name) + old.sections.map(\.name).filter { new[$0].isEmpty }
        var seen: Set<String> = []
        for name in names where seen.insert(name).inserted {
            let (before, after) = (old[name], new[name])
            for entry in after {
                guard let known = before.first(where: { $0.what == entry.what }) else {
                    lines.append(Line(change: .added, section: name, what: entry.what, detail: entry.detail))
                    continue
                }
                guard known.detail != entry.detail else { continue }
                lines.append(
                    Line(
                        change: .changed, section: name, what: entry.what, detail: entry.detail, before: known.detail))
            }
            for entry in before where !after.contains(where: { $0.what == entry.what }) {
                lines.append(Line(change: .removed, section: name, what: entry.what, detail: entry.detail))
            }
        }
        self.lines = lines
    }

    public var json: JSONValue {
        .array(
            lines.map { line in
                [
                    "change": .string(line.change.rawValue), "section": .string(line.section),
                    "what": .string(line.what), "detail": .string(line.detail), "before": JSONValue(line.before),
                ]
            })
    }

    public var text: String {
        if lines.isEmpty { return "the jails are the same" }
        return lines.map { line in
            let sign =
                switch line.change {
                case .added: "+"
                case .removed: "-"
                case .changed: "~"
                }
            let detail = line.before.map { "\($0) → \(line.detail)" } ?? line.detail
            return "\(sign) \(line.section): \(line.what)\(detail.isEmpty ? "" : ": \(detail)")"
        }.joined(separator: "\n")
    }
}
