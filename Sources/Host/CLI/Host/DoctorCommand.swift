internal import ArgumentParser
internal import Foundation
internal import JSONBytes
internal import Sandbox

/// `nexus doctor`: can this machine confine a plugin? Needs no host.
struct DoctorCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check that this machine can hold the jail, layer by layer.",
        discussion: """
            Each layer is required or optional, available, unavailable or refused, with the kernel's answer and what \
            to do. Exits with 1 if a layer that the strict jail needs cannot be had.
            """)
    @OptionGroup var host: HostOptions

    func perform() async throws {
        let support = KernelSupport.probe()
        let helper = DaemonProcess.jailHelper
        let hasHelper = access(helper, X_OK) == 0
        let trial = await trial(helper)
        var report = support.json.objectValue ?? JSONObject([("kernel", support.json)])
        report["helper"] = ["path": .string(helper), "usable": .bool(hasHelper)]
        report["trial"] = .string(trial ?? "a program ran in the strict jail")
        // The layers are tried as this program, the jail is built by nexus-jail: what a profile of the system grants it
        // alone shows in the trial only.
        report["ready"] = .bool(hasHelper && trial == nil)
        host.output.show(.object(report)) { _ in
            host.output.line(support.text)
            host.output.line(
                "nexus-jail  \(hasHelper ? host.output.green("found") : host.output.red("missing")): \(helper)")
            host.output.line(
                "trial jail  " + (trial.map { host.output.red($0) } ?? host.output.green("held a program")))
        }
        guard hasHelper, trial == nil else { throw ExitCode(1) }
    }

    /// Runs `true` in a strict jail: the proof that all layers go together. Nil when it worked.
    private func trial(_ helper: String) async -> String? {
        do throws(JailError) {
            var options = SandboxRun.Options()
            options.profile = "strict"
            let outcome = try await SandboxRun.run(options, command: ["/usr/bin/true"], helper: helper)
            return outcome.status == 0 ? nil : "the trial program ended with \(outcome.status)"
        } catch {
            return error.message
        }
    }
}
