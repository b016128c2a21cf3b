internal import Foundation
internal import HostAPI

/// Finding, starting and awaiting nexusd.
struct DaemonProcess {
    let home: String

    /// nexusd beside this program.
    static var program: String { beside("nexusd") }
    static var jailHelper: String { beside("nexus-jail") }
    /// What `nexus sandbox probe` runs in a jail.
    static var sandboxProbe: String { beside("nexus-sandbox-probe") }
    /// The plugin that judges a host from inside, for `nexus conform --host`.
    static var probe: String { beside("nexus-probe") }

    private static func beside(_ name: String) -> String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
    }

    func isRunning() async -> Bool { (try? await HostClient(home: home).send(.get, APIPath.status, seconds: 5)) != nil }

    /// Starts nexusd in the background unless one runs. Of several starters one nexusd gets the home's lock; the others
    /// wait for that one.
    ///
    /// - Returns: whether it had to be started.
    func ensure(arguments: [String]) async throws -> Bool {
        if await isRunning() { return false }
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("nexusd-\(UUID().uuidString).log").path
        let process = try spawn(arguments: arguments, log: log)
        defer { unlink(log) }
        return try await awaitReady(process, log: log)
    }

    private func spawn(arguments: [String], log: String) throws -> Process {
        // Only for what goes wrong before the host is ready; from then on it writes to its home.
        _ = FileManager.default.createFile(atPath: log, contents: nil, attributes: [.posixPermissions: 0o600])
        guard let handle = FileHandle(forWritingAtPath: log) else {
            throw CommandFailure("the log \(log) cannot be written")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = ["--home", home, "--background"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        do {
            try process.run()
        } catch {
            throw CommandFailure("\(Self.program) cannot be started: \(error.localizedDescription)")
        }
        return process
    }

    /// - Returns: true when it is the started process that serves, false when another was faster.
    private func awaitReady(_ process: Process, log: String) async throws -> Bool {
        for _ in 0..<300 {
            if await isRunning() { return process.isRunning }
            if !process.isRunning {
                let words = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                let isLate = process.terminationStatus == 75 && words.contains("the home \(home) is in use by nexusd")
                if !isLate { throw failure(words, status: process.terminationStatus) }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure("nexusd was not ready within 15 s; see \(HomePath.log(home: home))")
    }

    private func failure(_ words: String, status: Int32) -> CommandFailure {
        let line = words.split(separator: "\n").last { $0.hasPrefix("nexusd: ") }?.dropFirst("nexusd: ".count)
        let message = line.map(String.init) ?? (words.isEmpty ? "nexusd ended with status \(status)" : words)
        return CommandFailure(message, exitCode: status == 75 ? 75 : 1)
    }
}
