internal import ArgumentParser
internal import Foundation
internal import JSONBytes
internal import Sandbox

/// `nexus sandbox record [OPTIONS] -- CMD…`
struct SandboxRecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Run a program in the jail and list the system calls that it makes.",
        discussion: """
            Calls that the profile allows are counted and go on; what it refuses stays refused. Much slower than \
            `nexus sandbox run`. The list goes to standard error, or to a file. Exit code: as for `nexus sandbox run`.
            """)

    @Option(help: "System call profile: compat, node, python, strict or native.")
    var profile = "compat"

    @Option(help: ArgumentHelp("Show a file or directory of this machine, read-only.", valueName: "src:dst"))
    var roBind: [String] = []

    @Option(help: ArgumentHelp("Write the list to this file.", valueName: "file"))
    var output: String?

    @Flag(help: "Print the list, and errors, as JSON.")
    var json = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var command: [String] = []

    func run() async throws {
        do throws(JailError) {
            var options = SandboxRun.Options()
            options.profile = profile
            for text in roBind { options.binds.append(try SandboxRun.Options.mount(text, writable: false)) }
            let (outcome, record) = try await SandboxRecord.run(
                options, command: command, helper: DaemonProcess.jailHelper)
            try write(Data(((json ? record.json.text : record.text) + "\n").utf8))
            Foundation.exit(outcome.status)
        } catch {
            SandboxCommand.say(error, json: json)
            throw ExitCode(SandboxRun.status(of: error))
        }
    }

    private func write(_ list: Data) throws(JailError) {
        guard let output else { return FileHandle.standardError.write(list) }
        do { try list.write(to: URL(fileURLWithPath: output)) } catch {
            throw JailError(.system, "--output \(output): \(error.localizedDescription)", layer: "arguments")
        }
    }
}
