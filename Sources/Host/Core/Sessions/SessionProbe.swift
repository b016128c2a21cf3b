internal import PluginABI
package import Registry
package import Sandbox

/// One plugin in its jail with the host's real session and nothing around it: no identity, no policy, no log. Only for
/// Tests/Bench, hence `package`: no program outside this repository can see it.
package struct SessionProbe: Sendable {
    private let plugin: InstalledPlugin
    private let instance: PluginInstance

    private struct NoServices: HostServices {
        func answer(_ call: Message.HostCall, in context: CallContext) async throws(ServiceFailure) -> ServiceAnswer {
            throw ServiceFailure(ABIError(.permissionDenied, "there are no host services here"))
        }
    }

    package static func start(
        _ bundle: PluginBundle, in launcher: JailLauncher, poller: DescriptorPoller
    ) async throws(HostError) -> SessionProbe {
        let plugin = InstalledPlugin(
            manifest: bundle.manifest, digest: bundle.executableDigest, installed: "", endpoints: [:])
        let program: SealedProgram
        do { program = try SealedProgram(bundle.executable, name: plugin.name) } catch {
            throw HostError(.jailFailed, error.message)
        }
        let instance = try await PluginInstance.start(
            plugin, id: "bench#1", executable: program,
            in: PluginInstance.Environment(
                launcher: launcher, poller: poller, services: NoServices(), log: PluginLog { _ in }, ended: { _, _ in })
        )
        return SessionProbe(plugin: plugin, instance: instance)
    }

    /// - Returns: the result's JSON.
    package func call(_ tool: String, _ arguments: [UInt8]) async throws(HostError) -> [UInt8] {
        let deadline = Clock.unixMilliseconds() + HostLimits.callMilliseconds
        let answer = await instance.session.call(
            Message.Call(tool: tool, arguments: arguments, deadline: deadline, requestID: "bench", credentials: []),
            in: CallContext(
                requestID: "bench", caller: Caller(actor: "bench", principal: "bench"), plugin: plugin,
                instance: instance.id, tool: tool, deadline: deadline, redactor: instance.redactor))
        return try answer.get().json
    }

    package func stop() async { await instance.stop() }
}
