internal import PluginABI
package import Registry
package import Sandbox

/// One plugin in its jail with the host's real session and nothing around it: no identity, no policy, no log. Only for
/// Tests/Bench, hence `package`: no program outside this repository can see it.
package struct SessionProbe: Sendable {
    let plugin: InstalledPlugin
    let instance: PluginInstance

    struct NoServices: HostServices {
        func answer(_ call: Message.HostCall, in context: CallContext) async throws(ServiceFailure) -> ServiceAnswer {
            throw ServiceFailure(ABIError(.permissionDenied, "there are no host services here"))
        }
    }

    /// A plugin as it is installed: verified and sealed once, started as often as is asked.
    package struct Program: Sendable {
        fileprivate let plugin: InstalledPlugin
        fileprivate let executable: SealedProgram

        package init(_ bundle: PluginBundle) throws(HostError) {
            plugin = InstalledPlugin(
                manifest: bundle.manifest, digest: bundle.executableDigest, installed: "", endpoints: [:])
            do { executable = try SealedProgram(bundle.executable, name: plugin.name) } catch {
                throw HostError(.jailFailed, error.message)
            }
        }
    }

    package static func start(
        _ program: Program, in launcher: JailLauncher, poller: DescriptorPoller
    ) async throws(HostError) -> SessionProbe {
        let instance = try await PluginInstance.start(
            program.plugin, id: "bench#1", executable: program.executable,
            in: PluginInstance.Environment(
                launcher: launcher, poller: poller, services: NoServices(), log: PluginLog { _ in }, ended: { _, _ in })
        )
        return SessionProbe(plugin: program.plugin, instance: instance)
    }

    /// The pid of the jail's init.
    package var processID: Int32 { instance.processID }

    /// - Returns: the result's JSON and bytes.
    nonisolated(nonsending) package func call(
        _ tool: String, _ arguments: [UInt8]
    ) async throws(HostError) -> (json: [UInt8], bytes: [UInt8]) {
        let deadline = Clock.unixMilliseconds() + HostLimits.callMilliseconds
        let answer = await instance.session.call(
            Message.Call(tool: tool, arguments: arguments, deadline: deadline, requestID: "bench", credentials: []),
            in: CallContext(
                requestID: "bench", caller: Caller(actor: "bench", principal: "bench"), plugin: plugin,
                instance: instance.id, tool: tool,
                due: Clock.monotonicNanoseconds() + HostLimits.callMilliseconds * 1_000_000, redactor: instance.redactor
            ))
        let payload = try answer.get()
        return (payload.json, payload.bytes)
    }

    package func stop() async { await instance.stop() }
}
