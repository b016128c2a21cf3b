import Crypto
import Foundation
import PluginABI
import Synchronization
import Testing

@testable import HostCore

@Suite struct SecretStoreRotationTests {
    let vault: Vault
    init() throws { vault = try Vault() }

    private func fill(_ store: SecretStore, _ count: Int = 8) throws {
        for number in 0..<count {
            try store.put("first \(number)", Vault.address("k\(number)", owner: "user\(number % 3)"))
            try store.put("value \(number)", Vault.address("k\(number)", owner: "user\(number % 3)"))
        }
    }
    private func allAreReadable(_ store: SecretStore, _ count: Int = 8) throws -> Bool {
        try (0..<count).allSatisfy { number in
            try store.text(Vault.address("k\(number)", owner: "user\(number % 3)")) == "value \(number)"
        }
    }

    @Test func everyVersionOpensUnderTheNewKeyAndTheOldKeyOpensNone() throws {
        let store = try vault.start()
        try fill(store)
        let before = try vault.copy()
        #expect(try store.rotateMaster() == 16)
        #expect(try allAreReadable(store))
        #expect(try store.rollBack(Vault.address("k1", owner: "user1"), to: 1) == 3)
        #expect(try vault.start().text(Vault.address("k1", owner: "user1")) == "first 1")
        #expect(access("\(vault.folder.home.masterKey).next", F_OK) != 0)
        // The old key with the new database.
        let old = try before.folder.bytes(before.folder.home.masterKey)
        #expect(try vault.folder.bytes(vault.folder.home.masterKey) != old)
        try vault.folder.write(String(decoding: old, as: UTF8.self), to: vault.folder.home.masterKey)
        let error = try vault.refusal(Vault.address("k1", owner: "user1"))
        #expect(error?.code == .secretUnreadable)
    }

    /// A crash leaves the files as they are: at each step they are copied, and a host starts on the copy.
    @Test(arguments: RotationStep.allCases)
    func aCrashAtAnyStepLeavesEverySecretReadable(step: RotationStep) throws {
        let image = Mutex<Vault?>(nil)
        let store = try vault.start { [vault] reached in
            guard reached == step else { return }
            image.withLock { $0 = try? vault.copy() }
        }
        try fill(store)
        _ = try store.rotateMaster()
        let crashed = try #require(image.withLock { $0 })
        let again = try crashed.start()
        #expect(try again.check() == nil)
        #expect(try allAreReadable(again))
        #expect(access("\(crashed.folder.home.masterKey).next", F_OK) != 0)
        // And it goes on from there.
        try again.put("after")
        #expect(try again.rotateMaster() == 17)
        #expect(try allAreReadable(try crashed.start()))
    }

    /// Looks for data keys that the old master key still opens, at every offset of every file of the database.
    @Test func theOldKeyOpensNothingThatIsCarvedFromTheFiles() throws {
        let store = try vault.start()
        try fill(store, 40)
        let versions = try store.database.read { try SecretTable.everyVersion($0) }
        let old = try store.usable().key
        #expect(try carved(versions, old) >= 80)
        // Pages that come free, and a log that is not yet in the file.
        for number in 0..<30 { _ = try store.remove(Vault.address("k\(number)", owner: "user\(number % 3)")) }
        _ = try store.rotateMaster()
        #expect(try carved(versions, old) == 0)
        let new = try store.usable().key
        #expect(try carved(try store.database.read { try SecretTable.everyVersion($0) }, new) == 20)
    }

    /// How many of the records' data keys open somewhere in the files. Every offset is tried whose first bytes are a
    /// record's nonce: another offset cannot hold a copy of it.
    private func carved(_ records: [(SecretAddress, SecretRecord)], _ key: VaultKey) throws -> Int {
        let bytes = try vault.folder.databaseBytes()
        let file = Data(bytes)
        var found = 0
        for (address, record) in records {
            var start = file.startIndex
            while let range = file.range(of: Data(record.wrapped.prefix(12)), in: start..<file.endIndex) {
                start = range.upperBound
                guard range.lowerBound + 60 <= bytes.count else { break }
                var copy = record
                copy.wrapped = Array(bytes[range.lowerBound..<range.lowerBound + 60])
                if (try? key.open(copy, at: address)) != nil {
                    found += 1
                    break
                }
            }
        }
        return found
    }

    @Test func readersNeverFailWhileKeysAreRotated() async throws {
        let store = try vault.start()
        try fill(store)
        let rotations = Rotations()
        let rotating = Task {
            defer { rotations.areOver.store(true, ordering: .sequentiallyConsistent) }
            for _ in 0..<5 { _ = try await store.rotateMasterAside() }
        }
        var reads = 0
        while !rotations.areOver.load(ordering: .sequentiallyConsistent) {
            #expect(try allAreReadable(store))
            reads += 1
            await Task.yield()
        }
        try await rotating.value
        #expect(reads > 0)
        #expect(try allAreReadable(try vault.start()))
    }

    private final class Rotations: Sendable {
        let areOver = Atomic(false)
    }

    /// The key file cannot be replaced (a directory stands there): the next rotation must not lose the key in force.
    @Test func keyThatCouldNotTakeItsPlaceIsNotWrittenOver() throws {
        let store = try vault.start()
        try fill(store)
        let path = vault.folder.home.masterKey
        let old = try vault.folder.bytes(path)
        try #require(unlink(path) == 0 && mkdir(path, 0o700) == 0)
        #expect(refusal { () throws(HostError) in try store.rotateMaster() }?.code == .storageFailed)
        #expect(try allAreReadable(store))
        #expect(refusal { () throws(HostError) in try store.rotateMaster() }?.code == .storageFailed)
        let staged = try vault.folder.bytes("\(path).next")
        try #require(rmdir(path) == 0)
        try vault.folder.write(String(decoding: old, as: UTF8.self), to: path)
        #expect(try allAreReadable(try vault.start()))
        #expect(try vault.folder.bytes(path) == staged)
    }

    @Test func keyThatIsKeptElsewhereIsGiven() throws {
        let given = { (digit: String) in
            SecretBytes(copying: Array(String(repeating: digit, count: 64).utf8))
        }
        let store = try vault.start(source: .given(given("1"), place: "test"))
        try fill(store)
        #expect(refusal { () throws(HostError) in try store.rotateMaster() }?.code == .invalidRequest)
        #expect(
            refusal { () throws(HostError) in try store.rotateMaster(given("1")) }?.message
                == "that is the master key in force; give another")
        _ = try store.rotateMaster(given("2"))
        #expect(try allAreReadable(store))
        #expect(try allAreReadable(try vault.start(source: .given(given("2"), place: "test"))))
        let old = try vault.start(source: .given(given("1"), place: "test"))
        #expect(
            refusal { () throws(HostError) in try old.text(Vault.address("k0", owner: "user0")) }?.code
                == .secretUnreadable)
    }
}
