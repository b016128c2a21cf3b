internal import ArgumentParser
internal import Confinement
internal import Foundation
internal import JSONBytes
internal import Sandbox

/// `nexus sandbox probe`: tries to get out of a plugin's jail from inside.
struct SandboxProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Try to get out of the jail, in two hundred ways; no host is needed.",
        discussion: """
            Each way is named and was held or not. No act harms the machine, also where it is not held. Exits with 0 \
            only if all were held, with 125 if the jail could not be built.
            """)

    @Option(help: "System call profile: strict, python, native or compat.")
    var profile = "strict"

    @Flag(help: "Print JSON instead of text.")
    var json = false

    func run() async throws {
        do throws(JailError) {
            let report = try await probe()
            print(json ? report.json.text : report.text)
            if !report.open.isEmpty { throw JailError(.layer, "") }
        } catch {
            if error.message.isEmpty { throw ExitCode(1) }
            SandboxCommand.say(error, json: json)
            throw ExitCode(SandboxRun.couldNotBuildStatus)
        }
    }

    private func probe() async throws(JailError) -> ProbeReport {
        let path = DaemonProcess.sandboxProbe
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw JailError(.launcher, "\(path) cannot be read; build it with make build")
        }
        // What a plugin in Python sees of this machine belongs to its jail.
        let mounts = profile == "python" ? PythonRuntime.find()?.mounts ?? [] : []
        let launcher = try JailLauncher.start(helper: DaemonProcess.jailHelper, mountRoots: mounts.map(\.source))
        defer { launcher.close() }
        return try await SandboxProbe.run(
            profile: profile, executable: Array(bytes), mounts: mounts, launcher: launcher)
    }
}
