import Foundation

/// A plugin's directory that a person may write, and the commands of an author in it.
final class AuthorProject {
    let path: String
    /// What `nexus dev` is told to build with. It is watched, and no source of the program.
    static let build = "tests/build.sh"
    private let person: Person
    private let plugin: String?
    var home: String { ".nexus" }

    /// - Parameter plugin: which of the built plugins; nil for an empty directory.
    init(_ person: Person, plugin: String? = "echo") throws {
        self.person = person
        self.plugin = plugin
        path = "/tmp/nexus-e2e-author-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, 0o755)
        try restore()
        if plugin != nil { try write(Self.build, "exit 0\n") }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The plugin as it was built.
    func restore() throws {
        if let plugin {
            for part in ["bin", "plugin.json"] {
                try? FileManager.default.removeItem(atPath: "\(path)/\(part)")
                try FileManager.default.copyItem(
                    atPath: "\(try Built.plugin(plugin))/\(part)", toPath: "\(path)/\(part)")
            }
        }
        try own()
    }

    func write(_ file: String, _ text: String) throws {
        let place = URL(fileURLWithPath: "\(path)/\(file)")
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place)
        try own()
    }

    func replace(_ file: String, _ old: String, _ new: String) throws {
        try write(file, text(file).replacing(old, with: new))
    }

    func text(_ file: String) throws -> String { try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8) }

    var files: [String] { ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).sorted() }

    @discardableResult
    func nexus(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(command(arguments), environment: environment(), seconds: 300)
    }

    func dev(_ arguments: String...) throws -> Loop {
        Loop(try Program.start(command(["dev"] + arguments), environment: environment()))
    }

    /// What a call of a tool of the loop's host prints.
    func call(_ tool: String, _ arguments: String = "{}") throws -> String {
        let outcome = try nexus("tool", "call", tool, arguments, "--home", home)
        return outcome.output + outcome.errors
    }

    private func command(_ arguments: [String]) throws -> [String] {
        let program = "\(try AuthorCheckout.folder.get())/bin/nexus"
        return person.prefix + ["/usr/bin/env", "-C", path, program] + arguments
    }

    private func environment() throws -> [String: String] {
        ["HOME": path, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
    }

    private func own() throws {
        guard person == .ordinary, geteuid() == 0 else { return }
        _ = try Program.run(["/bin/chown", "-R", "\(Person.ordinaryID):\(Person.ordinaryID)", path])
    }

    /// A running `nexus dev`.
    final class Loop {
        private let running: Program.Running

        init(_ running: Program.Running) { self.running = running }

        deinit {
            guard running.process.isRunning else { return }
            kill(running.process.processIdentifier, SIGTERM)
            _ = try? running.finish(seconds: 30)
        }

        var text: String { running.output }

        func shows(_ words: String) -> Bool { eventually(within: 60) { text.contains(words) } }

        /// As the kernel or an impatient person may end it.
        func kill9() throws {
            kill(running.process.processIdentifier, SIGKILL)
            _ = try running.finish(seconds: 60)
        }

        /// Ctrl-C, which is no failure.
        func interrupt() throws {
            kill(running.process.processIdentifier, SIGINT)
            let outcome = try running.finish(seconds: 60)
            guard outcome.status == 0 else { throw Failure("nexus dev ended with \(outcome)") }
        }
    }
}
