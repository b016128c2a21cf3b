internal import Foundation
internal import HostAPI

/// Finding, starting and awaiting nexusd.
struct DaemonProcess {
    let home: String

    /// nexusd beside this program.
    static var program: String { beside("nexusd") }
    static var jailHelper: String { beside("nexus-jail") }

    private static func beside(_ name: String) -> String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
    }

    func isRunning() async -> Bool { (try? await HostClient(home: home).send(.get, APIPath.status, seconds: 5)) != nil }

    /// Starts nexusd in the background unless one runs, under a file lock, so that two starters make one host.
    ///
    /// - Returns: whether it had to be started.
    func ensure(arguments: [String]) async throws -> Bool {
        if await isRunning() { return false }
        try FileManager.default.createDirectory(
            atPath: (home as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        let name = (home as NSString).lastPathComponent
        let lockPath = (home as NSString).deletingLastPathComponent + "/.\(name).start-lock"
        let lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw CommandFailure("the start lock \(lockPath) cannot be opened: errno \(errno)") }
        defer {
            unlink(lockPath)
            close(lock)
        }
        flock(lock, LOCK_EX)
        if await isRunning() { return false }
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("nexusd-\(getpid()).log").path
        let process = try spawn(arguments: arguments, log: log)
        defer { unlink(log) }
        try await awaitReady(process, log: log)
        return true
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

    private func awaitReady(_ process: Process, log: String) async throws {
        for _ in 0..<300 {
            if await isRunning() { return }
            if !process.isRunning {
                let words = (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").last.map(
                    String.init)
                throw CommandFailure(
                    words?.replacing("nexusd: ", with: "") ?? "nexusd ended with status \(process.terminationStatus)",
                    exitCode: process.terminationStatus == 75 ? 75 : 1)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure("nexusd was not ready within 15 s; see \(HomePath.log(home: home))")
    }
}
