internal import Foundation

/// Runs a program of the author's machine (a compiler, a script) to its end, in a directory, and keeps its words.
struct ChildProcess {
    struct Outcome {
        var status: Int32
        /// Standard output and error, as they came.
        var words: String
    }

    let command: [String]
    let directory: String
    var environment: [String: String] = [:]

    /// - Throws: `CommandFailure` if it cannot be started; `CancellationError` once the author interrupts.
    func run() async throws -> Outcome {
        let file = try ScratchFile.open()
        defer { close(file) }
        let process = Process()
        // env(1) finds the program on PATH.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        do {
            let handle = FileHandle(fileDescriptor: file, closeOnDealloc: false)
            process.standardOutput = handle
            process.standardError = handle
            try process.run()
        } catch {
            throw CommandFailure("\(command[0]) cannot be started: \(error.localizedDescription)")
        }
        try await finish(process)
        let words = ScratchFile.text(file, limit: .max)
        guard process.terminationStatus != 127 || process.terminationReason != .exit else {
            throw CommandFailure("\(command[0]) was not found; install it or put it on PATH\n\(words)")
        }
        return Outcome(status: process.terminationStatus, words: words)
    }

    private func finish(_ process: Process) async throws {
        while process.isRunning {
            if Interrupt.isSet {
                let id = process.processIdentifier
                kill(getpgid(id) == id ? -id : id, SIGTERM)
                process.waitUntilExit()
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
