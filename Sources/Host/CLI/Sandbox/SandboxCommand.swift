internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import Sandbox

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Use the plugin jail for any program.", subcommands: [SandboxRunCommand.self])
}

/// `nexus sandbox run [--profile P] [--bind SRC:DST[:rw]] -- CMD…`
struct SandboxRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a program in the plugin jail; no host is needed.",
        discussion: """
            The system's programs are visible read-only; nothing else of this machine is. Exit code: the program's; \
            128+n if signal n ended it; 125 if the jail could not be built.
            """)

    @Option(help: "System call profile: compat, python, strict or native.")
    var profile = "compat"

    @Option(help: ArgumentHelp("Show a file or directory of this machine in the jail.", valueName: "src:dst[:rw]"))
    var bind: [String] = []

    @Flag(help: "Print errors as JSON.")
    var json = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var command: [String] = []

    func run() async throws {
        do throws(JailError) {
            let exit = try await SandboxRun.run(
                profile: profile, binds: try binds(), command: command, helper: DaemonProcess.jailHelper)
            end(with: SandboxRun.status(of: exit))
        } catch {
            let failure = APIFailure(code: error.layer ?? error.code.rawValue, message: error.message)
            FileHandle.standardError.write(
                Data((json ? failure.json.text : "nexus: \(error.message)").appending("\n").utf8))
            throw ExitCode(SandboxRun.couldNotBuildStatus)
        }
    }

    /// The program's status is ours, at once and without another word.
    private func end(with status: Int32) -> Never { Foundation.exit(status) }

    private func binds() throws(JailError) -> [JailMount] {
        var mounts: [JailMount] = []
        for text in bind {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard (2...3).contains(parts.count), parts.count == 2 || ["rw", "ro"].contains(parts[2]),
                parts[0].hasPrefix("/"), parts[1].hasPrefix("/")
            else { throw JailError(.policy, "--bind \(text): write SRC:DST or SRC:DST:rw with absolute paths") }
            mounts.append(
                JailMount(
                    source: parts[0], destination: parts[1],
                    weakening: parts.count == 3 && parts[2] == "rw" ? .writableMount : nil))
        }
        return mounts
    }
}
