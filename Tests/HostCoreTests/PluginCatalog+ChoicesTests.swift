import PluginABI
import Registry
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

    private func bundle(sealed: Bool) throws -> PluginBundle {
        let delivery = sealed ? #""delivery":"sealed","# : ""
        let uses = sealed ? #""sealed":[{"header":"X-Key","credential":"key"}],"# : ""
        let text = #"""
            {"manifest":1,"name":"sample","version":"1.0.0","kind":"tool","description":"d","abi":{"min":1,"max":1},
             "runtime":{"executable":"bin/sample"},
             "permissions":{"credentials":[{"name":"key","scope":"user",\#(delivery)"reason":"r"}],
              "http.fetch":[{"endpoint":"exchange","origin":"https://api.example.com","methods":["GET"],
               "paths":["/api/"],\#(uses)"reason":"r"}]},
             "tools":[{"name":"sample_echo","description":"d","credentials":["key"],
                       "inputSchema":{"type":"object"}}]}
            """#
        return try PluginBundle(manifestBytes: Array(text.utf8), executable: Array("\u{7F}ELF \(sealed)".utf8))
    }

    @Test func whatWasSealedIsNotHandedOverBecauseANewVersionSaysSo() throws {
        try catalog.install(try bundle(sealed: true))
        #expect(try catalog.plugin("sample").choices.revoked.isEmpty)
        try catalog.install(try bundle(sealed: false))
        #expect(try catalog.plugin("sample").choices.revoked == ["key"])
        try catalog.setCredential("key", of: "sample", granted: true)
        try catalog.install(try bundle(sealed: false))
        #expect(try catalog.plugin("sample").choices.revoked.isEmpty, "an admin has granted it")
    }
}
