import PluginABI
import Testing

@testable import HostCore

@Suite struct SecretAddressTests {
    private func data(_ owner: String, _ plugin: String, _ name: String, _ version: Int = 1) -> [UInt8] {
        SecretAddress(scope: .user, owner: owner, plugin: plugin, name: name).associatedData(version: version)
    }

    @Test func neighbouringPartsCannotBeMistakenForEachOther() {
        #expect(data("a", "bc", "d") != data("ab", "c", "d"))
        #expect(data("a", "b", "cd") != data("a", "bc", "d"))
        #expect(data("", "a", "b") != data("a", "", "b"))
        #expect(data("a", "b", "c", 11) != data("a", "b", "c1", 1))
        #expect(data("a\u{1}\0\0\0b", "c", "d") != data("a", "b", "c"))
    }

    @Test func everyPartIsBound() {
        let base = data("a", "b", "c")
        #expect(base != data("x", "b", "c"))
        #expect(base != data("a", "x", "c"))
        #expect(base != data("a", "b", "x"))
        #expect(base != data("a", "b", "c", 2))
        let global = SecretAddress(scope: .global, owner: "a", plugin: "b", name: "c")
        #expect(global.associatedData(version: 1) != data("", "b", "c"))
    }

    @Test func theLayoutIsEachPartAfterItsLength() {
        #expect(
            data("al", "b", "key", 12)
                == [14, 0, 0, 0] + Array("nexus-secret-1".utf8) + [4, 0, 0, 0] + Array("user".utf8) + [2, 0, 0, 0]
                + Array("al".utf8) + [1, 0, 0, 0] + Array("b".utf8) + [3, 0, 0, 0] + Array("key".utf8) + [2, 0, 0, 0]
                + Array("12".utf8))
    }

    @Test func aGlobalSecretHasNoOwner() {
        #expect(SecretAddress(scope: .global, owner: "alice", plugin: "b", name: "c").owner.isEmpty)
    }
}
