import PluginABI
import Testing

@testable import HostCore

@Suite struct PluginCatalogChoicesTests {
    let folder: TestHome
    let catalog: PluginCatalog

    init() throws {
        folder = try TestHome()
        catalog = try folder.catalog()
        try catalog.install(try SamplePlugin.bundle())
    }

    @Test func installingGrantsWhatIsDeclaredAndNothingElseCanBeGranted() throws {
        #expect(try catalog.plugin("sample").choices == PluginChoices())
        let error = refusal { () throws(HostError) in try catalog.setCredential("other", of: "sample", granted: true) }
        #expect(error?.code == .invalidRequest && error?.message.contains("(declared: key, shared)") == true)
    }

    @Test func aRevokedCredentialStaysRevokedOverARestartAndAnUpgradeAndNotOverARemoval() throws {
        #expect(try catalog.setCredential("key", of: "sample", granted: false))
        #expect(try !catalog.setCredential("key", of: "sample", granted: false), "no change")
        try catalog.install(try SamplePlugin.bundle(content: "other bytes"))
        for catalog in [catalog, try folder.catalog()] {
            #expect(try catalog.plugin("sample").choices.revoked == ["key"])
        }
        try catalog.remove("sample")
        try catalog.install(try SamplePlugin.bundle())
        #expect(try catalog.plugin("sample").choices.revoked.isEmpty)
    }

    @Test func whoGetsUsersCredentialsHasAProcessForEachUserUnlessAnAdminWeakensThat() throws {
        let plugin = try catalog.plugin("sample")
        #expect(plugin.manifest.isolation == .shared && plugin.isolation == .perUser)
        #expect(plugin.isIsolationForced && plugin.usersCredentials == ["key"])
        #expect(FleetRule(plugin.manifest, isolation: plugin.isolation).instances == HostLimits.perUserInstances)
        #expect(try catalog.setSharing(of: "sample", weakeningSharedUsers: true))
        #expect(try !catalog.setSharing(of: "sample", weakeningSharedUsers: true), "no change")
        #expect(try folder.catalog().plugin("sample").isolation == .shared)
        #expect(try catalog.setSharing(of: "sample", weakeningSharedUsers: false))
        #expect(try catalog.plugin("sample").isolation == .perUser)
    }

    @Test func withoutUsersCredentialsTheManifestDecides() throws {
        try catalog.setCredential("key", of: "sample", granted: false)
        #expect(try catalog.plugin("sample").isolation == .shared, "a revoked one reaches no process")
    }
}
