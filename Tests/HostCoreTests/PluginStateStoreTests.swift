import Registry
import Testing

@testable import HostCore

@Suite struct PluginStateStoreTests {
    let folder: TestHome
    init() throws { folder = try TestHome() }

    @Test func statesAreReplacedAndKeptForInstalledPluginsOnly() throws {
        let database = try folder.database()
        let catalog = try PluginCatalog(database: database, store: BundleStore(directory: folder.home.store))
        try catalog.install(try SamplePlugin.bundle())
        let store = PluginStateStore(database: database)
        for name in [PluginState.Name.running, .stopped, .failed, .parked] {
            let state = PluginState(name, isWanted: name == .running, cause: "c", since: 7, failures: 2)
            try store.set(state, of: "sample")
            try store.set(state, of: "nobody")
            #expect(try store.all() == ["sample": state])
        }
    }
}
