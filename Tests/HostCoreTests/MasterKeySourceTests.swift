import Crypto
import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct MasterKeySourceTests {
    private let folder: TestHome
    private let digits = String(repeating: "5a", count: 32)
    init() throws { folder = try TestHome() }

    private func pipe(_ text: String) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        try #require(Foundation.pipe(&ends) == 0)
        let bytes = Array(text.utf8)
        try #require(write(ends[1], bytes, bytes.count) == bytes.count)
        close(ends[1])
        return ends[0]
    }
    private func take(key: Int32? = nil, passphrase: Int32? = nil) throws(HostError) -> MasterKeySource {
        try MasterKeySource.take(keyDescriptor: key, passphraseDescriptor: passphrase, credentials: folder.home.path)
    }

    @Test func aKeyFromADescriptorIsTakenAndLeavesNoFile() throws {
        let descriptor = try pipe(digits + "\n")
        let loaded = try LoadedMasterKey.load(try take(key: descriptor), home: folder.home)
        #expect(loaded.key.text == Array((digits + "\n").utf8) && loaded.next == nil)
        #expect(fcntl(descriptor, F_GETFD) == -1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.home.path).isEmpty)
    }

    @Test func systemdsCredentialIsTakenBeforeTheFile() throws {
        try folder.write(digits, to: "\(folder.home.path)/nexus-master-key", mode: 0o400)
        let loaded = try LoadedMasterKey.load(try take(), home: folder.home)
        #expect(loaded.key.text == Array((digits + "\n").utf8))
        #expect(access(folder.home.masterKey, F_OK) != 0)
    }

    @Test func withoutAnyOfThemTheFileIsTheKey() throws {
        let loaded = try LoadedMasterKey.load(try take(), home: folder.home)
        #expect(try folder.bytes(folder.home.masterKey) == loaded.key.text)
    }

    @Test func whatIsNoKeyIsRefusedWithoutShowingIt() throws {
        for (text, words) in [
            ("", "brought 0 bytes; a key or passphrase has 1 to 1024"),
            (String(repeating: "a", count: 1_025), "brought 1025 bytes; a key or passphrase has 1 to 1024"),
        ] {
            let descriptor = try pipe(text)
            let error = refusal { () throws(HostError) in try take(key: descriptor) }
            #expect(error?.message == "descriptor \(descriptor) \(words)")
        }
        let descriptor = try pipe("not a key")
        let source = try take(key: descriptor)
        let error = refusal { () throws(HostError) in try LoadedMasterKey.load(source, home: folder.home) }
        #expect(
            error?.message
                == "the master key in descriptor \(descriptor) must be 64 hex digits; restore it from a backup")
        #expect(refusal { () throws(HostError) in try take(key: 999_999) }?.code == .secretUnreadable)
    }

    @Test func theNextKeyStandsBesideTheOldOneUntilItTakesItsPlace() throws {
        let loaded = try LoadedMasterKey.load(.file, home: folder.home)
        let old = try folder.bytes(folder.home.masterKey)
        let next = try loaded.keeper.stage(nil)
        #expect(try folder.bytes(folder.home.masterKey) == old)
        #expect(try LoadedMasterKey.load(.file, home: folder.home).next?.id == next.id)
        let descriptor = open(folder.home.masterKey, O_RDONLY)
        defer { close(descriptor) }
        try loaded.keeper.promote()
        #expect(try LoadedMasterKey.load(.file, home: folder.home).key.id == next.id)
        #expect(try LoadedMasterKey.load(.file, home: folder.home).next == nil)
        // The old file's bytes, by a descriptor from before.
        var bytes = [UInt8](repeating: 1, count: 65)
        try #require(read(descriptor, &bytes, 65) == 65)
        #expect(bytes == [UInt8](repeating: 0, count: 65))
    }

    @Test func whoeverKeepsTheKeyGivesTheNextOne() throws {
        let file = MasterKeyKeeper(kind: .file, path: folder.home.masterKey)
        let elsewhere = MasterKeyKeeper(kind: .elsewhere, path: "")
        let given = SecretBytes(copying: Array(digits.utf8))
        #expect(
            refusal { () throws(HostError) in try file.stage(given) }?.message
                == "the host makes the next key itself; give none")
        #expect(refusal { () throws(HostError) in try elsewhere.stage(nil) }?.code == .invalidRequest)
        #expect(try elsewhere.stage(given).text == Array((digits + "\n").utf8))
    }
}
