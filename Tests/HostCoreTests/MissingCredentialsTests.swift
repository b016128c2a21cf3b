import Crypto
import PluginABI
import Testing

@testable import HostCore

@Suite struct MissingCredentialsTests {
    let folder: TestHome
    let store: SecretStore
    let plugin: InstalledPlugin
    private let alice = Caller(actor: "agent", principal: "team/alice")

    init() throws {
        folder = try TestHome()
        store = SecretStore(database: try folder.database(), key: MasterKey(key: SymmetricKey(size: .bits256)))
        plugin = try SamplePlugin.installed()
    }

    private func set(_ scope: Permissions.CredentialUse.Scope, _ owner: String, _ name: String) throws {
        try store.set(
            SecretAddress(scope: scope, owner: owner, plugin: "sample", name: name), SecretBytes(copying: [1, 2, 3]))
    }

    private func missing(_ caller: Caller) throws -> MissingCredentials? {
        try MissingCredentials.of(try #require(plugin.manifest.tools.first), of: plugin, for: caller, in: store)
    }

    @Test func aCallThatLacksItsUsersOwnNamesThemAndTheUser() throws {
        try set(.global, "", "shared")
        try set(.user, "somebody", "key")
        #expect(
            try missing(alice)
                == MissingCredentials(plugin: "sample", names: ["key"], scope: .user, owner: "team/alice"))
        try set(.user, "team/alice", "key")
        #expect(try missing(alice) == nil)
    }

    @Test func whereAGlobalOneIsMissingAFormWouldNotHelp() throws {
        #expect(try missing(alice) == nil)
        try set(.user, "team/alice", "key")
        #expect(try missing(alice) == nil)
    }
}
