internal import Foundation
internal import HostCore
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// SIGHUP reads nexus.json again, as daemons do (daemon(7)). In a terminal that has gone it means what it says: the
/// host ends.
struct HangupReload: Service {
    let supervisor: Supervisor
    let home: Home
    let stop: StopSignal
    let logger: Logger

    func run() async throws {
        let beganInTerminal = Self.hasTerminal
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in signals {
                guard Self.hasTerminal || !beganInTerminal else { return self.stop.send() }
                await self.reload()
            }
        }
    }

    private func reload() async {
        do throws(HostError) {
            let change = try await supervisor.reload(home, by: "SIGHUP")
            logger.notice(
                "configuration reloaded",
                metadata: [
                    "changed": "\(change.changed.joined(separator: ","))", "unchanged": "\(change.unchanged)",
                    "budget-changed": "\(change.budgetChanged)",
                    "not-installed": "\(change.notInstalled.joined(separator: ","))",
                ])
        } catch {
            logger.error("the old configuration stays: \(error.message)")
        }
    }

    /// Whether this process still has a controlling terminal (tty(4)).
    private static var hasTerminal: Bool {
        let file = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return false }
        close(file)
        return true
    }
}
