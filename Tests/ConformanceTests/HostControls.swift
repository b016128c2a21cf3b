import Conformance
import Foundation
import JSONBytes

/// The wrong hosts, and the probe that tells on them.
struct HostControl: Sendable {
    var mode: String
    var requirement: String
    /// A part of the title of the check that must notice it.
    var check: String

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("sdk/conformance")

    static let all: Result<[HostControl], any Error> = Result {
        let bytes = Array(try Data(contentsOf: folder.appendingPathComponent("controls/hosts.json")))
        return try (JSONValue(parsing: bytes)["hosts"]?.arrayValue ?? []).map { row in
            HostControl(
                mode: row["mode"]?.stringValue ?? "", requirement: row["breaks"]?.stringValue ?? "",
                check: row["check"]?.stringValue ?? "")
        }
    }

    /// - Parameter patience: seconds that a request may take; the longest deadlines are 10 and 30.
    static func driver(_ mode: String, patience: Int) -> SubprocessHostDriver {
        let script = folder.appendingPathComponent("controls/wrong_host.py").path
        return SubprocessHostDriver(command: ["/usr/bin/python3", script, mode], patience: patience)
    }

    /// The probe, compiled once for all tests.
    static let probe: Result<String, any Error> = Result {
        let path = "/tmp/nexus-probe-\(getpid())"
        atexit { unlink("/tmp/nexus-probe-\(getpid())") }
        let sources = try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("probe").path)
            .filter { $0.hasSuffix(".c") }.map { folder.appendingPathComponent("probe/\($0)").path }
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/cc")
        compiler.arguments =
            ["-std=gnu11", "-O2", "-static", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-o", path]
            + sources
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else { throw HostDriverFailure("the probe was not compiled") }
        return path
    }
}
