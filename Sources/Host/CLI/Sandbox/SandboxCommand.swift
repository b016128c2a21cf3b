internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import Sandbox

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Use the plugin jail for any program, and put it to the test.",
        subcommands: [
            SandboxRunCommand.self, SandboxProbeCommand.self, SandboxExplainCommand.self, SandboxRecordCommand.self,
        ])

    /// One line for a person, or JSON, on standard error.
    static func say(_ error: JailError, json: Bool) {
        let failure = APIFailure(code: error.layer ?? error.code.rawValue, message: error.message)
        FileHandle.standardError.write(
            Data((json ? failure.json.text : "nexus: \(error.message.printable)").appending("\n").utf8))
    }
}
