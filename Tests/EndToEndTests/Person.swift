import Foundation
import Testing

/// Who runs the host: root, whose jails get users of their own, and an ordinary user.
enum Person: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case root
    case ordinary

    static let ordinaryID = 65_534

    /// Both where the tests run as root; else only the user that they run as.
    static var available: [Person] { geteuid() == 0 ? allCases : [.ordinary] }

    var testDescription: String { rawValue }

    var prefix: [String] {
        guard self == .ordinary, geteuid() == 0 else { return [] }
        return [
            "/usr/bin/setpriv", "--reuid", "\(Self.ordinaryID)", "--regid", "\(Self.ordinaryID)", "--clear-groups",
        ]
    }

    /// The name by which the host knows this person.
    var name: String {
        let uid = self == .root ? 0 : geteuid() == 0 ? uid_t(Self.ordinaryID) : geteuid()
        return getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "uid-\(uid)"
    }
}

/// The built programs, copied to where every user may read them.
enum Built {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    static let debug = "\(root)/.build/debug"

    private static var place: String { "/tmp/nexus-e2e-\(getpid())" }

    /// A folder with bin/ and plugins/, made once and removed when the tests end.
    static let folder: Result<String, any Error> = Result {
        let folder = place
        try? FileManager.default.removeItem(atPath: folder)
        atexit { try? FileManager.default.removeItem(atPath: Built.place) }
        for part in ["bin", "plugins"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        for name in ["nexus", "nexusd", "nexus-jail", "nexus-sandbox-probe", "exchange-simulator"] {
            try copy("\(debug)/\(name)", "\(folder)/bin/\(name)")
        }
        try copy("\(root)/Plugins/crypto-bot", "\(folder)/plugins/crypto-bot")
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(root)/.build/fixture-plugins") {
            try copy("\(root)/.build/fixture-plugins/\(name)", "\(folder)/plugins/\(name)")
        }
        _ = try Program.run(["/bin/chmod", "-R", "a+rX", folder])
        return folder
    }

    static func program(_ name: String) throws -> String { "\(try folder.get())/bin/\(name)" }
    static func plugin(_ name: String) throws -> String { "\(try folder.get())/plugins/\(name)" }
    static var clientPython: String { "\(root)/.build/venv-mcp/bin/python" }
    static var client: String { "\(root)/Tests/EndToEndTests/mcp_client.py" }

    /// A program that is missing is a failure, never a skip.
    private static func copy(_ from: String, _ to: String) throws {
        guard FileManager.default.fileExists(atPath: from) else {
            throw Failure("\(from) is missing; run the tests with `make test`")
        }
        try FileManager.default.copyItem(atPath: from, toPath: to)
    }
}
