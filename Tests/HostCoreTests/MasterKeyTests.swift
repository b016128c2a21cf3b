import Foundation
import PluginABI
import Testing

@testable import HostCore

/// Serialized: the environment belongs to the whole process.
@Suite(.serialized) struct MasterKeyTests {
    let folder: TestHome
    var home: Home { folder.home }
    let digits = String(repeating: "0123456789abcdef", count: 4)

    init() throws { folder = try TestHome() }

    private func give(_ value: String) { setenv(MasterKey.variable, value, 1) }
    private func load() throws -> (key: MasterKey, warning: String?) { try MasterKey.load(home) }

    @Test func aFreshHomeGetsARandomPrivateKey() throws {
        let (key, warning) = try load()
        #expect(warning == nil)
        #expect(try folder.mode(home.masterKey) == 0o600)
        let text = String(decoding: try folder.bytes(home.masterKey), as: UTF8.self)
        #expect(text.count == 65 && text.hasSuffix("\n") && Hex.bytes(String(text.dropLast()))?.count == 32)
        #expect(try load().key.key == key.key)
        let other = try TestHome()
        #expect(try MasterKey.load(other.home).key.key != key.key)
        withExtendedLifetime(other) {}
    }

    @Test func aKeyInTheEnvironmentMovesToTheFileAndLeavesTheEnvironment() throws {
        give(digits)
        let (key, warning) = try load()
        #expect(getenv(MasterKey.variable) == nil)
        #expect(try folder.mode(home.masterKey) == 0o600)
        #expect(try folder.bytes(home.masterKey) == Array((digits + "\n").utf8))
        #expect(
            warning
                == "the master key was taken from NEXUS_MASTER_KEY and is now in \(home.masterKey); "
                + "remove the variable: "
                + "an environment can be read by every process of the same user")
        #expect(try load().key.key == key.key)
    }

    @Test func whiteSpaceAroundAGivenKeyDoesNotReachTheFile() throws {
        give(String(repeating: " ", count: 300) + digits.uppercased() + "\n\n")
        let key = try load().key
        #expect(try load().key.key == key.key)
        #expect(try folder.bytes(home.masterKey).count == 65)
    }

    @Test func aGivenKeyThatDiffersFromTheFilesIsRefusedAndTheFileStays() throws {
        let key = try load().key
        give(digits)
        let error = refusal { () throws(HostError) in try MasterKey.load(home) }
        #expect(error?.code == .secretUnreadable)
        #expect(
            error?.message
                == "NEXUS_MASTER_KEY differs from the key in \(home.masterKey); unset it, or restore the file "
                + "that belongs to it")
        #expect(getenv(MasterKey.variable) == nil)
        #expect(try load().key.key == key.key)
    }

    @Test func aGivenKeyEqualToTheFilesIsNoError() throws {
        give(digits)
        _ = try load()
        give(digits.uppercased())
        #expect(try load().warning != nil)
    }

    @Test(arguments: [
        "", "0", "zz", String(repeating: "0", count: 63), String(repeating: "0", count: 66),
        String(repeating: "０", count: 64),
        "\(String(repeating: "a", count: 32)) \(String(repeating: "a", count: 32))",
        String(repeating: "é", count: 32),
    ])
    func malformedKeysAreRefusedWithoutShowingThem(text: String) throws {
        give(text)
        let given = refusal { () throws(HostError) in try MasterKey.load(home) }
        #expect(
            given?.message
                == "the master key in the variable NEXUS_MASTER_KEY must be 64 hex digits; restore it from a backup")
        #expect(getenv(MasterKey.variable) == nil)
        #expect(access(home.masterKey, F_OK) != 0)
        try folder.write(text, to: home.masterKey)
        let stored = refusal { () throws(HostError) in try MasterKey.load(home) }
        #expect(
            stored?.message == "the master key in \(home.masterKey) must be 64 hex digits; restore it from a backup")
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o620] as [mode_t])
    func keyThatOthersMayReadIsRefused(mode: mode_t) throws {
        try folder.write(digits, to: home.masterKey, mode: mode)
        let error = refusal { () throws(HostError) in try MasterKey.load(home) }
        #expect(
            error?.message == "\(home.masterKey) can be read by other users (mode \(String(mode, radix: 8))); "
                + "run: chmod 600 \(home.masterKey), and replace what was in it")
    }

    @Test func keyThatIsALinkOrAPipeIsRefusedAtOnce() throws {
        try folder.write(digits, to: "\(home.path)/elsewhere")
        try #require(symlink("\(home.path)/elsewhere", home.masterKey) == 0)
        #expect(refusal { () throws(HostError) in try MasterKey.load(home) }?.code == .storageFailed)
        try #require(unlink(home.masterKey) == 0 && mkfifo(home.masterKey, 0o600) == 0)
        #expect(
            refusal { () throws(HostError) in try MasterKey.load(home) }?.message
                == "\(home.masterKey) is not a regular file")
    }
}
