internal import Glibc
internal import PluginABI
internal import Sandbox
internal import Synchronization

/// A plugin in its jail, as nexusd would run it.
final class JailedProgram: RunningProgram {
    private let jail: Jail
    private let known = Mutex<ProgramEnd?>(nil)

    private init(_ jail: Jail) {
        self.jail = jail
        // Not self: it may go before the jail does.
        Task { [weak self] in
            let exit = await jail.exited()
            self?.known.withLock {
                $0 =
                    switch exit {
                    case .exited(let code): .exited(code)
                    case .signalled(let number): .signalled(number)
                    case .lost: .lost
                    }
            }
        }
    }

    deinit { jail.kill() }

    /// - Throws: `StartFailure` with the layer that could not be applied.
    static func start(
        _ policy: JailPolicy, executable: [UInt8]?, in launcher: JailLauncher
    ) async throws(StartFailure) -> StartedProgram {
        let descriptors = try PluginDescriptors()
        do {
            let sealed = try executable.map { (bytes) throws(JailError) in
                try SealedMemory.seal(bytes, name: policy.name)
            }
            defer { if let sealed { close(sealed) } }
            let jail = try await launcher.spawn(
                policy,
                descriptors: JailDescriptors(
                    channel: descriptors.plugin[0], standardOutput: descriptors.plugin[1],
                    standardError: descriptors.plugin[2], executable: sealed))
            descriptors.closePluginEnds()
            return descriptors.started(JailedProgram(jail))
        } catch {
            descriptors.closeAll()
            throw StartFailure(description: "the jail was not built: \(error.message)")
        }
    }

    func end() -> ProgramEnd? { known.withLock { $0 } }

    func kill() { jail.kill() }
}
