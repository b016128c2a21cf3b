import Foundation
import JSONBytes

/// Runs a program to its end. Output goes to files, so that a host left in the background cannot hold a pipe open.
struct Program {
    struct Outcome: CustomStringConvertible {
        var status: Int32
        var output: String
        var errors: String
        var description: String { "status \(status)\n\(output)\n\(errors)" }

        func json() throws -> JSONValue { try JSONValue(parsing: output) }
        func lines() throws -> [JSONValue] {
            try output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        }
    }

    static func run(
        _ command: [String], environment: [String: String] = [:], input: String = "", seconds: Double = 90
    ) throws -> Outcome {
        let running = try start(command, environment: environment, input: input)
        return try running.finish(seconds: seconds)
    }

    static func start(_ command: [String], environment: [String: String] = [:], input: String = "") throws -> Running {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nexus-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        try Data(input.utf8).write(to: files[0])
        for file in files.dropFirst() { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"]
            .merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        return Running(process: process, folder: folder)
    }

    struct Running {
        let process: Process
        let folder: URL

        var output: String {
            (try? String(contentsOf: folder.appendingPathComponent("out"), encoding: .utf8)) ?? ""
        }

        func finish(seconds: Double) throws -> Outcome {
            let end = Date().addingTimeInterval(seconds)
            while process.isRunning, Date() < end { usleep(5_000) }
            if process.isRunning {
                kill(process.processIdentifier, SIGKILL)
                throw Failure("\(process.arguments ?? []) did not end within \(seconds) s\n\(output)")
            }
            let errors = try String(contentsOf: folder.appendingPathComponent("err"), encoding: .utf8)
            let outcome = Outcome(status: process.terminationStatus, output: output, errors: errors)
            try? FileManager.default.removeItem(at: folder)
            return outcome
        }
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Waits until a condition holds; false if it never did.
func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = Date().addingTimeInterval(seconds)
    repeat {
        if try condition() { return true }
        usleep(20_000)
    } while Date() < end
    return false
}
