internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// A command that talks to a host. It throws; this turns what it throws into words and an exit code.
protocol HostCommand: AsyncParsableCommand {
    var host: HostOptions { get }
    func perform() async throws
}

extension HostCommand {
    func run() async throws {
        do {
            try await perform()
        } catch let failure as CommandFailure {
            let line = host.json ? failure.shown.json.text : "nexus: \(failure.message.printable)"
            FileHandle.standardError.write(Data("\(line)\n".utf8))
            throw ExitCode(failure.exitCode)
        }
    }
}
