import Foundation

/// Runs a tutorial's steps in a fresh directory, as a person who has only the built programs and the SDK.
final class TutorialRun {
    private struct Terminal {
        var running: Program.Running
        var seen = 0
    }

    let folder: String
    private let person: Person
    private var directory: String
    private var terminals: [String: Terminal] = [:]

    init(_ person: Person) throws {
        self.person = person
        folder = "/tmp/nexus-e2e-tutorial-\(UUID().uuidString.prefix(8))"
        directory = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o755)
        if person == .ordinary, geteuid() == 0 { chown(folder, uid_t(Person.ordinaryID), gid_t(Person.ordinaryID)) }
    }

    deinit {
        for terminal in terminals.values {
            kill(terminal.running.process.processIdentifier, SIGTERM)
            _ = try? terminal.running.finish(seconds: 30)
        }
        _ = try? run("nexus down")
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// - Throws: `Failure` with the step that did not go as written.
    func run(_ text: TutorialText) throws {
        for step in text.steps {
            switch step {
            case .commands(let commands): try commands.forEach(check)
            case .file(let path, let text): try write(path, text)
            case .terminal(let name, let start, let interrupt, let output):
                if let start { terminals[name] = Terminal(running: try begin(start)) }
                try look(name, interrupt: interrupt, output)
            }
        }
    }

    private func check(_ command: TutorialText.Command) throws {
        let begin = Date()
        let outcome = try run(command.line)
        print("tutorial [\(person.rawValue)] \(command.line): \(Int(Date().timeIntervalSince(begin) * 1_000)) ms")
        guard outcome.status == 0 else { throw Failure("$ \(command.line)\n\(outcome)") }
        guard TutorialText.match(command.output, outcome.output, whole: true) != nil else {
            throw Failure(
                "$ \(command.line)\npromised:\n\(command.output.joined(separator: "\n"))\nprinted:\n\(outcome.output)")
        }
    }

    private var environment: [String: String] {
        get throws {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            return [
                "PATH": "\(try AuthorCheckout.folder.get())/bin:\(path)", "HOME": folder,
                "NEXUS_HOME": "\(folder)/home", "PYTHONDONTWRITEBYTECODE": "1",
            ]
        }
    }

    /// One line in bash; the next one begins where this one ended.
    private func run(_ line: String) throws -> Program.Outcome {
        let script = #"cd "$1" && eval "$2"; status=$?; pwd >"$3"; exit $status"#
        let place = "\(folder)/.place"
        let outcome = try Program.run(
            person.prefix + ["/bin/bash", "-c", "exec 2>&1; \(script)", "bash", directory, line, place],
            environment: environment, seconds: 900)
        let end = try? String(contentsOfFile: place, encoding: .utf8)
        if let end { directory = end.trimmingCharacters(in: .newlines) }
        return outcome
    }

    private func begin(_ line: String) throws -> Program.Running {
        try Program.start(
            person.prefix + ["/bin/bash", "-c", #"exec 2>&1; cd "$1" && exec $2"#, "bash", directory, line],
            environment: environment)
    }

    private func write(_ path: String, _ text: String) throws {
        let file = "\(directory)/\(path)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        if person == .ordinary, geteuid() == 0 { chown(file, uid_t(Person.ordinaryID), gid_t(Person.ordinaryID)) }
    }

    private func look(_ name: String, interrupt: Bool, _ output: [String]) throws {
        guard var terminal = terminals[name] else { throw Failure("no terminal \(name) was begun") }
        if interrupt { kill(terminal.running.process.processIdentifier, SIGINT) }
        let isShown = eventually(within: 120) {
            let text = terminal.running.output.dropFirst(terminal.seen)
            guard let end = TutorialText.match(output, String(text), whole: false, skipping: true) else { return false }
            terminal.seen += String(text)[..<end].count
            return true
        }
        terminals[name] = terminal
        let shown = terminal.running.output.dropFirst(terminal.seen)
        guard isShown else {
            throw Failure("terminal \(name)\npromised:\n\(output.joined(separator: "\n"))\nshows:\n\(shown)")
        }
        guard interrupt else { return }
        let outcome = try terminal.running.finish(seconds: 60)
        terminals[name] = nil
        guard outcome.status == 0 else { throw Failure("terminal \(name) ended with \(outcome)") }
        guard !FileManager.default.fileExists(atPath: "\(directory)/.nexus") else {
            throw Failure("terminal \(name) left \(directory)/.nexus behind")
        }
    }
}
