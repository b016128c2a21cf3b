import Foundation
import Testing

@testable import HostCore

/// Known answers from the PyPI package `cryptography-vectors`, in the clients' environment (scripts/mcp-venv).
struct KnownAnswers {
    var fields: [String: String]
    var mustFail = false

    func bytes(_ name: String) -> [UInt8] { Hex.bytes(fields[name] ?? "") ?? [] }

    static var root: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }
    static var python: String { "\(root)/.build/venv-mcp/bin/python" }

    /// A missing file is a failure: `make test` makes the environment.
    static func text(_ path: String) throws -> String {
        let library = "\(root)/.build/venv-mcp/lib"
        let folder = try #require(
            try FileManager.default.contentsOfDirectory(atPath: library).first { $0.hasPrefix("python3") })
        return try String(
            contentsOfFile: "\(library)/\(folder)/site-packages/cryptography_vectors/\(path)", encoding: .utf8)
    }

    /// The cases of a file of NIST's CAVP with a nonce of 96 bits or more and a tag of 128.
    static func gcm(_ file: String) throws -> [KnownAnswers] {
        var cases: [KnownAnswers] = []
        var section: [String: Int] = [:]
        var current: KnownAnswers?
        for line in try text("ciphers/AES/GCM/\(file)").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if line.hasPrefix("[") {
                let name = parts[0].dropFirst()
                section[String(name)] = Int(parts[1].dropLast())
            } else if line.hasPrefix("Count") {
                if let current { cases.append(current) }
                let isOurs = (section["IVlen"] ?? 0) >= 96 && section["Taglen"] == 128
                current = isOurs ? KnownAnswers(fields: [:]) : nil
            } else if line == "FAIL" {
                current?.mustFail = true
            } else if current != nil, !line.hasPrefix("#") {
                current?.fields[parts[0]] = parts.count == 2 ? parts[1] : ""
            }
        }
        if let current { cases.append(current) }
        return cases
    }
}
