import Foundation

/// A document whose commands can be run: fenced blocks `console` (commands after `$ `, then what they print), `console
/// terminal=NAME` for a program that goes on, and `LANGUAGE PATH` for a file to write.
struct TutorialText {
    struct Command: Equatable {
        var line: String
        /// What it prints; `…` stands for anything in a line, alone for any lines.
        var output: [String]
    }

    enum Step: Equatable {
        case commands([Command])
        /// What another terminal shows next; begun by a command, ended by `^C`.
        case terminal(String, start: String?, interrupt: Bool, output: [String])
        case file(path: String, text: String)
    }

    let steps: [Step]

    init(_ markdown: String) throws {
        var steps: [Step] = []
        var block: (info: [String], lines: [String])?
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```"), let done = block {
                if let step = try Self.step(done.info, done.lines) { steps.append(step) }
                block = nil
            } else if line.hasPrefix("```") {
                block = (line.dropFirst(3).split(separator: " ").map(String.init), [])
            } else {
                block?.lines.append(line)
            }
        }
        guard block == nil else { throw Failure("a block is not closed") }
        self.steps = steps
    }

    private static func step(_ info: [String], _ lines: [String]) throws -> Step? {
        guard let language = info.first else { return nil }
        if language == "console", info.count == 2, info[1].hasPrefix("terminal=") {
            let start = lines.first.flatMap { $0.hasPrefix("$ ") ? String($0.dropFirst(2)) : nil }
            return .terminal(
                String(info[1].dropFirst("terminal=".count)), start: start, interrupt: lines.first == "^C",
                output: Array(start != nil || lines.first == "^C" ? lines.dropFirst() : lines[...]))
        }
        if language == "console" {
            var commands: [Command] = []
            for line in lines {
                if line.hasPrefix("$ ") {
                    commands.append(Command(line: String(line.dropFirst(2)), output: []))
                } else if commands.isEmpty {
                    throw Failure("a console block begins with output: \(line)")
                } else {
                    commands[commands.count - 1].output.append(line)
                }
            }
            return .commands(commands)
        }
        return info.count == 2 ? .file(path: info[1], text: lines.joined(separator: "\n") + "\n") : nil
    }

    /// How many characters of `text` fit the lines, from its start; nil if they do not fit.
    ///
    /// - Parameters:
    ///   - whole: nothing may follow.
    ///   - skipping: other lines may come first.
    static func match(_ lines: [String], _ text: String, whole: Bool, skipping: Bool = false) -> String.Index? {
        var pattern = skipping ? "\\A(?:[^\\n]*\\n)*?" : "\\A"
        for line in lines {
            if line == "…" {
                pattern += "(?:[^\\n]*\\n)*?"
            } else {
                let parts = line.components(separatedBy: "…").map(NSRegularExpression.escapedPattern(for:))
                pattern += parts.joined(separator: "[^\\n]*") + "\\n"
            }
        }
        return text.range(of: pattern + (whole ? "\\z" : ""), options: .regularExpression)?.upperBound
    }
}
