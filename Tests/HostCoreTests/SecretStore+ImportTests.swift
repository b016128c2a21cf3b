import Crypto
import PluginABI
import Testing

@testable import HostCore

@Suite struct SecretStoreImportTests {
    @Test func onlyTheVeryValueAtItsPlaceIsHeld() throws {
        let folder = try TestHome()
        let store = SecretStore(database: try folder.database(), key: MasterKey(key: SymmetricKey(size: .bits256)))
        let address = SecretAddress(scope: .user, owner: "alice", plugin: "bot", name: "key")
        let value = SecretBytes(copying: [1, 2, 3])
        #expect(try !store.holds(address, value))
        try store.set(address, value)
        #expect(try store.holds(address, SecretBytes(copying: [1, 2, 3])))
        for other: [UInt8] in [[1, 2], [1, 2, 3, 4], [1, 2, 4], [0, 2, 3], []] {
            #expect(try !store.holds(address, SecretBytes(copying: other)))
        }
        let bob = SecretAddress(scope: .user, owner: "bob", plugin: "bot", name: "key")
        #expect(try !store.holds(bob, value))
        #expect(try store.list().map(\.used) == [nil], "a comparison is no use")
        _ = try store.open(address)
        #expect(try store.list().first?.used != nil)
    }
}
