internal import Foundation
internal import HostCore
internal import Logging
internal import Sandbox
internal import ServiceLifecycle
internal import Synchronization

/// Ends the service group when somebody asks over the API.
final class StopSignal: Service {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func send() { continuation.finish() }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.stream {}
        }
    }
}

/// A launcher that dies is started again by its keeper, and its loss recorded. Without a keeper there are no more
/// jails: its end is the host's, whose starter restarts both.
struct LauncherWatch: Service {
    let launcher: JailLauncher
    let incidents: IncidentRecorder
    let logger: Logger

    func run() async throws {
        // `exited` ends only with the launcher, so it is waited for outside of this task.
        let (gone, continuation) = AsyncStream<Void>.makeStream()
        let watcher = Task { [launcher, incidents, logger] in
            for await loss in launcher.losses { incidents.lostLauncher("\(loss)") }
            let exit = await launcher.exited()
            if !Task.isCancelled {
                let why =
                    exit == .exited(code: 1) ? "its launcher died five times within a minute" : "its keeper \(exit)"
                logger.error("nexus-jail ended (\(why)); nexusd stops, for it can confine no plugin without it")
            }
            continuation.finish()
        }
        await cancelWhenGracefulShutdown {
            for await _ in gone {}
        }
        watcher.cancel()
    }
}

/// Says once that both listeners are there.
final class Readiness: Sendable {
    private struct State {
        var users = false
        var port: Int?
    }
    private let state = Mutex(State())
    private let logger = Logger(label: "nexusd")
    private let jailsAsRoot: Bool

    init(jailsAsRoot: Bool) { self.jailsAsRoot = jailsAsRoot }

    /// Where the form for credentials is.
    var formURL: String { state.withLock { $0.port.map { "http://127.0.0.1:\($0)" } ?? "" } }

    var agentURL: String { state.withLock { $0.port.map { "http://127.0.0.1:\($0)/mcp" } ?? "" } }

    func usersReady() { announce { $0.users = true } }
    func agentsReady(port: Int) { announce { $0.port = port } }

    private func announce(_ change: (inout State) -> Void) {
        let isReady = state.withLock { state in
            change(&state)
            return state.users && state.port != nil
        }
        guard isReady else { return }
        BackgroundLog.releaseStarter()
        logger.notice(
            "ready", metadata: ["mcp": "\(agentURL)", "uid": "\(geteuid())", "jails-as-root": "\(jailsAsRoot)"])
    }
}
