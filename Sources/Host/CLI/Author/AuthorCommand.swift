internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// A command of an author. It throws; this turns what it throws into words and an exit code.
protocol AuthorCommand: AsyncParsableCommand {
    var json: Bool { get }
    func perform() async throws
}

extension AuthorCommand {
    var output: Output { Output(isJSON: json) }

    func run() async throws {
        do {
            try await perform()
        } catch let failure as BuildFailure {
            FileHandle.standardError.write(Data("\(failure.tail)\n".utf8))
            try fail(CommandFailure(failure.message))
        } catch let failure as CommandFailure {
            try fail(failure)
        }
    }

    private func fail(_ failure: CommandFailure) throws -> Never {
        let lines = failure.message.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.printable
        }
        let line = json ? failure.shown.json.text : "nexus: \(lines.joined(separator: "\n"))"
        FileHandle.standardError.write(Data("\(line)\n".utf8))
        throw ExitCode(failure.exitCode)
    }
}

/// Paths as a person gives and reads them.
enum ProjectPath {
    static func absolute(_ path: String) -> String {
        let full = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        return URL(fileURLWithPath: full).standardizedFileURL.path
    }

    /// Relative to the current directory where it lies inside of it.
    static func shown(_ path: String) -> String {
        let here = FileManager.default.currentDirectoryPath
        if path == here { return "." }
        return path.hasPrefix(here + "/") ? String(path.dropFirst(here.count + 1)) : path
    }
}
