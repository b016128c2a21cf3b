import Crypto
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct CredentialBinderTests {
    let folder: TestHome
    let store: SecretStore
    let plugin: InstalledPlugin
    let tool: PluginManifest.Tool
    private let alice = Caller(actor: "agent", principal: "team/alice")

    init() throws {
        folder = try TestHome()
        store = SecretStore(database: try folder.database(), key: MasterKey(key: SymmetricKey(size: .bits256)))
        plugin = try SamplePlugin.installed()
        tool = try #require(plugin.manifest.tools.first)
    }

    private func set(_ scope: Permissions.CredentialUse.Scope, _ owner: String, _ name: String, _ text: String) throws {
        try store.set(
            SecretAddress(scope: scope, owner: owner, plugin: "sample", name: name),
            SecretBytes(copying: Array(text.utf8)))
    }
    private func missing(_ caller: Caller) -> String? {
        refusal { () throws(HostError) in try BoundCredentials.bind(tool, of: plugin, for: caller, from: store) }?
            .message
    }

    @Test func whatIsMissingIsNamedWithTheCommandThatSetsIt() throws {
        #expect(
            missing(alice)
                == "sample_echo needs the credential key, and team/alice has none; an admin sets it with: "
                + "nexus secret set sample key --user team/alice")
        try set(.user, "team/alice", "key", "value-of-alice")
        #expect(
            missing(alice)
                == "sample_echo needs the credential shared, and there is none; an admin sets it with: "
                + "nexus secret set sample shared --global")
    }

    @Test func valuesAreThePrincipalsAndTheLogSeesFingerprintsOnly() throws {
        try set(.user, "team/alice", "key", "value-of-alice")
        try set(.user, "agent", "key", "value-of-agent")
        try set(.global, "", "shared", "value-of-all")
        let bound = try BoundCredentials.bind(tool, of: plugin, for: alice, from: store)
        #expect(bound.credentials.map(\.name) == ["key", "shared"])
        #expect(
            bound.credentials.map { $0.value.withBytes { String(decoding: $0, as: UTF8.self) } }
                == ["value-of-alice", "value-of-all"])
        #expect(!bound.masked.text.contains("value-of"))
        let mask = try #require(bound.masked["key"]?.stringValue)
        #expect(mask.hasPrefix("********(") && mask.utf8.count == 26)
        #expect(!"\(bound)".contains("value-of"))
    }

    @Test func aUsersOwnBeatsWhatAnAdminStoredForEverybody() throws {
        try set(.global, "", "shared", "value-of-all")
        try set(.global, "", "key", "key-of-all")
        let value = { () throws -> String? in
            try BoundCredentials.bind(tool, of: plugin, for: alice, from: store).credentials.first { $0.name == "key" }?
                .value.withBytes { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try value() == "key-of-all")
        try set(.user, "team/alice", "key", "key-of-alice")
        #expect(try value() == "key-of-alice")
        try set(.user, "team/alice", "shared", "of-alice-too")
        let shared = try BoundCredentials.bind(tool, of: plugin, for: alice, from: store).credentials.last
        #expect(shared?.value.withBytes { String(decoding: $0, as: UTF8.self) } == "value-of-all", "it is global")
    }

    @Test func whatAnAdminRevokedIsNotBound() throws {
        try set(.user, "team/alice", "key", "value-of-alice")
        try set(.global, "", "shared", "value-of-all")
        var plugin = plugin
        plugin.choices.revoked = ["shared"]
        let error = refusal { () throws(HostError) in
            try BoundCredentials.bind(tool, of: plugin, for: alice, from: store)
        }
        #expect(error?.code == .forbidden)
        #expect(error?.message.contains("nexus secret grants sample --grant shared") == true)
    }

    @Test func sealedCredentialsAreBoundAndNotForThePlugin() throws {
        let plugin = try SealedSample.plugin(#"{"header":"X-Key","credential":"key"}"#, ["key"])
        let tool = try #require(plugin.manifest.tools.first)
        let bind = { () throws(HostError) in try BoundCredentials.bind(tool, of: plugin, for: alice, from: store) }
        #expect(refusal(bind)?.message.contains("needs the credential key, and team/alice has none") == true)
        try set(.user, "agent", "key", "value-of-agent")
        #expect(refusal(bind)?.code == .credentialMissing)
        try set(.user, "team/alice", "key", "value-of-alice")
        let bound = try bind()
        #expect(bound.credentials.isEmpty)
        #expect(bound.all.map(\.name) == ["key"])
        #expect(bound.sealed?["key"]?.withBytes { String(decoding: $0, as: UTF8.self) } == "value-of-alice")
        #expect(bound.masked["key"]?.stringValue?.hasPrefix("********(") == true, "the log names it all the same")
        #expect(!"\(bound)".contains("value-of"))
    }

    @Test func secretOfAnotherUserOrPluginIsNeverBound() throws {
        try set(.user, "agent", "key", "of-the-agent")
        try set(.user, "alice", "key", "of-another-alice")
        try store.set(
            SecretAddress(scope: .user, owner: "team/alice", plugin: "other", name: "key"),
            SecretBytes(copying: [1, 2, 3]))
        #expect(missing(alice)?.contains("team/alice has none") == true)
    }
}
