internal import Foundation

/// From sources to the executable that plugin.json names.
struct ProjectBuild {
    let project: PluginProject
    /// The author's own, instead of the language's.
    var command: String?

    /// What a person could type instead.
    var shown: String {
        switch steps {
        case .shell(let line): line
        case .program(let words): words.joined(separator: " ")
        case .nothing: "nothing"
        }
    }

    private enum Steps {
        case shell(String)
        case program([String])
        case nothing
    }

    private var steps: Steps {
        if let command { return .shell(command) }
        switch project.language {
        case .swift: return .program(["swift", "build", "-c", "release", "--product", project.name])
        case .python: return .program(["python3", "-m", "nexus_plugin.build", "."])
        case .other: return .nothing
        }
    }

    /// - Returns: warnings of the compiler.
    /// - Throws: `BuildFailure` with the compiler's words; `CommandFailure` if there is nothing to build with.
    func run() async throws -> String {
        var begin = timespec()
        clock_gettime(CLOCK_REALTIME, &begin)
        let words: String
        switch steps {
        case .nothing:
            throw CommandFailure(
                "\(project.directory) has neither Package.swift nor a Python runtime; say how to build it with --build"
            )
        case .shell(let line): words = try await finish(["sh", "-c", line])
        case .program(let command): words = try await finish(command)
        }
        if command == nil, project.language == .swift { try place() }
        stamp(begin)
        return words.split(separator: "\n").filter { $0.contains(Self.warning) }.joined(separator: "\n")
    }

    /// A compiler's, with the place; what a linker says of the standard library is not the author's to mend.
    private static var warning: Regex<Substring> { #/^[^ ]+:[0-9]+:[0-9]+: warning: /# }

    private func finish(_ command: [String]) async throws -> String {
        let child = ChildProcess(
            command: command, directory: project.directory, environment: environment)
        let outcome = try await child.run()
        guard outcome.status == 0 else {
            let isMissing =
                outcome.words.contains("No module named") && outcome.words.contains("nexus_plugin")
            let hint =
                isMissing
                ? "; install nexus-plugin, or name a checkout of Nexus with $\(SDKLocation.variable)" : ""
            throw BuildFailure(words: outcome.words, message: "the build failed: \(shown)\(hint)")
        }
        return outcome.words
    }

    /// Where the Python SDK is, unless it is installed: the project's own note, else as `nexus new` finds it.
    private var environment: [String: String] {
        guard project.language == .python else { return [:] }
        let note = try? String(contentsOfFile: "\(project.directory)/sdk.path", encoding: .utf8)
        let noted = note.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        let variables = ProcessInfo.processInfo.environment
        let found = try? SDKLocation.find(
            option: nil, environment: variables, program: DaemonProcess.program, needing: "python/src"
        ).python
        let paths = [noted, found, variables["PYTHONPATH"]].compactMap { $0 }.filter { !$0.isEmpty }
        return ["PYTHONPATH": paths.joined(separator: ":"), "PYTHONDONTWRITEBYTECODE": "1"]
    }

    /// A build that had nothing to do leaves an old program, which is as new as its sources all the same.
    private func stamp(_ begin: timespec) {
        var status = stat()
        guard stat(project.programPath, &status) == 0 else { return }
        let time = status.st_mtim
        guard (time.tv_sec, time.tv_nsec) < (begin.tv_sec, begin.tv_nsec) else { return }
        utimensat(AT_FDCWD, project.programPath, [status.st_atim, begin], 0)
    }

    /// SwiftPM's product goes where plugin.json has it, whole or not at all.
    private func place() throws(CommandFailure) {
        let product = "\(project.directory)/.build/release/\(project.name)"
        let target = project.programPath
        let fresh = "\(target).new"
        do {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: target).deletingLastPathComponent(),
                withIntermediateDirectories: true)
            try? FileManager.default.removeItem(atPath: fresh)
            try FileManager.default.copyItem(atPath: product, toPath: fresh)
        } catch {
            throw CommandFailure(
                "the build left no \(product): Package.swift needs an executable product \"\(project.name)\""
            )
        }
        guard chmod(fresh, 0o755) == 0, rename(fresh, target) == 0 else {
            throw CommandFailure("\(target) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}

/// A build that failed: the compiler's words come first, and what failed last, where a person looks.
struct BuildFailure: Error {
    var words: String
    var message: String

    /// The compiler's last 200 lines.
    var tail: String {
        words.split(separator: "\n", omittingEmptySubsequences: false).suffix(200).joined(
            separator: "\n")
    }
}
