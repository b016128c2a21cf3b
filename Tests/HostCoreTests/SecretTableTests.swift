import Foundation
import PluginABI
import Testing

@testable import HostCore

/// The stored format, as someone reads it who has docs/SECRETS.md and another library.
@Suite struct SecretTableTests {
    let vault: Vault
    init() throws { vault = try Vault() }

    /// The script that stands in docs/SECRETS.md.
    private static func script() throws -> String {
        let page = try String(contentsOfFile: "\(KnownAnswers.root)/docs/SECRETS.md", encoding: .utf8)
        let parts = page.components(separatedBy: "```python\n")
        try #require(parts.count == 2)
        return try #require(parts[1].components(separatedBy: "```").first)
    }

    private func run() throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: KnownAnswers.python)
        process.arguments = ["-c", try Self.script(), vault.folder.home.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test func theScriptOfTheDocumentOpensEveryRecordWithAnotherLibrary() throws {
        let store = try vault.start()
        try store.put("first", Vault.address("one"))
        try store.put("zweiter €", Vault.address("one"), expires: 4_000_000_000)
        try store.put("other", Vault.address("two", owner: "team/bøb"))
        try store.set(
            SecretAddress(scope: .global, owner: "", plugin: "bot", name: "shared"), SecretBytes(copying: [0x67]))
        let expected = "shared 1 g\none 1 first\none 2 zweiter €\ntwo 1 other\n"
        #expect(try run() == (0, expected))
        _ = try store.rotateMaster()
        #expect(try run() == (0, expected))
        try vault.tamper("UPDATE secret_version SET owner = 'mallory' WHERE name = 'two'")
        #expect(try run().status != 0)
    }

    @Test func aRowWhoseRecordIsGoneIsStillListed() throws {
        let store = try vault.start()
        try store.put("first")
        try vault.tamper("DELETE FROM secret_version")
        #expect(try store.list().map(\.version) == [1])
    }
}
