internal import ArgumentParser
internal import Conformance
internal import Foundation
internal import JSONBytes

/// `nexus conform DIR | --exec CMD [--manifest F] | --host [--driver CMD]`, with `--format`, `--output` and `--only`.
struct ConformCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conform", abstract: "Hold a plugin or a host to the ABI, requirement by requirement.",
        discussion: """
            DIR is a plugin's directory: the plugin runs in its jail, as nexusd would run it. With --exec it is any \
            command, run outside a jail with the socket on descriptor 3; --manifest names its plugin.json. Arguments \
            that make tools work, a streaming and a slow tool are named in conformance.json beside plugin.json. --host \
            judges a host: Nexus itself, on a home of its own, or the one behind --driver (sdk/conformance/HOSTS.md). \
            Exit code: 0 it conforms · 1 it does not, or could not be started · 64 wrong usage.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, junit }

    @Argument(help: ArgumentHelp("The plugin's directory.", valueName: "dir"))
    var directory: String?

    @Option(help: ArgumentHelp("Run this instead, split at spaces; no shell.", valueName: "cmd"))
    var exec: String?

    @Option(help: ArgumentHelp("plugin.json of --exec; without one no tool is called.", valueName: "file"))
    var manifest: String?

    @Flag(help: "Judge a host instead of a plugin.")
    var host = false

    @Option(help: ArgumentHelp("The driver of another host, split at spaces; no shell.", valueName: "cmd"))
    var driver: String?

    @Option(help: "How the report is written: text, json or junit.")
    var format = Format.text

    @Option(help: ArgumentHelp("Write the report to a file instead of standard output.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Only requirements that begin so, such as ABI-6; may be repeated.", valueName: "id"))
    var only: [String] = []

    func validate() throws {
        guard [directory != nil, exec != nil, host].count(where: { $0 }) == 1 else {
            throw ValidationError("name a plugin's directory, or a command with --exec, or say --host")
        }
        if driver != nil, !host { throw ValidationError("--driver goes with --host") }
        if manifest != nil, exec == nil { throw ValidationError("--manifest goes with --exec") }
        if exec?.allSatisfy({ $0 == " " }) == true { throw ValidationError("--exec names no command") }
    }

    func run() async throws {
        let report: ConformanceReport
        do {
            report = try await host ? judgeHost() : judgePlugin()
        } catch {
            FileHandle.standardError.write(Data("nexus: \("\(error)".printable)\n".utf8))
            throw ExitCode.failure
        }
        guard !report.results.isEmpty else {
            throw ValidationError("no check has a requirement that begins with \(only.joined(separator: " or "))")
        }
        try write(report)
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }

    private func judgePlugin() async throws -> ConformanceReport {
        if let directory, let missing = (try? PluginProject(directory: directory))?.missingProgram {
            throw CommandFailure(missing)
        }
        var options = ConformanceRun.Options()
        options.only = only
        options.jailHelper = DaemonProcess.jailHelper
        return try await ConformanceRun(plugin: plugin, options: options).run()
    }

    private func judgeHost() async throws -> ConformanceReport {
        let words = driver?.split(separator: " ").map(String.init)
        let nexus = words == nil ? NexusDriver() : nil
        let judged: any HostDriver = nexus ?? SubprocessHostDriver(command: words ?? [])
        let began = ContinuousClock.now
        do {
            let results = try await HostConformance(driver: judged, probe: DaemonProcess.probe, only: only).run()
            await nexus?.close()
            return ConformanceReport(
                subject: driver ?? "nexusd", side: "host", results: results.map(CheckResult.init),
                milliseconds: Int((ContinuousClock.now - began) / .milliseconds(1)))
        } catch {
            await nexus?.close()
            throw error
        }
    }

    private var plugin: PluginUnderTest {
        if let exec { return .command(exec.split(separator: " ").map(String.init), manifest: manifest) }
        return .directory(directory ?? ".")
    }

    private func write(_ report: ConformanceReport) throws {
        let isPlain = ProcessInfo.processInfo.environment["NO_COLOR"] != nil
        let isTerminal = output == nil && !isPlain && isatty(STDOUT_FILENO) == 1
        let text =
            switch format {
            case .text: report.text(isTerminal: isTerminal)
            case .json: report.json.text + "\n"
            case .junit: report.junit
            }
        guard let output else { return FileHandle.standardOutput.write(Data(text.utf8)) }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: output))
        } catch {
            FileHandle.standardError.write(Data("nexus: \(output) cannot be written: \(error)\n".utf8))
            throw ExitCode.failure
        }
        // The verdict is seen also where the report goes to a file.
        FileHandle.standardError.write(Data((report.summary(isTerminal: false) + "\n").utf8))
    }
}
