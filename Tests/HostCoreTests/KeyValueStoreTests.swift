import Testing

@testable import HostCore

@Suite struct KeyValueStoreTests {
    let folder: TestHome
    let store: KeyValueStore

    init() throws {
        folder = try TestHome()
        let catalog = try folder.catalog()
        try catalog.install(try SamplePlugin.bundle())
        try catalog.install(try SamplePlugin.bundle(name: "other", tools: ["other_echo"]))
        store = KeyValueStore(database: try folder.database())
    }

    private func put(_ key: String, _ text: String, of plugin: String = "sample", quota: Int = 1_000) throws -> Bool {
        try store.put(key, Array(text.utf8), of: plugin, quota: quota)
    }

    @Test func valueIsReadBackUntilItIsDeleted() throws {
        #expect(try store.get("k", of: "sample") == nil)
        #expect(try put("k", "one"))
        #expect(try put("k", "two"))
        #expect(try store.get("k", of: "sample") == Array("two".utf8))
        #expect(try store.delete("k", of: "sample"))
        #expect(try store.get("k", of: "sample") == nil)
        #expect(try !store.delete("k", of: "sample"))
    }

    @Test func pluginsHaveSpacesOfTheirOwn() throws {
        #expect(try put("k", "mine"))
        #expect(try store.get("k", of: "other") == nil)
        #expect(try !store.delete("k", of: "other"))
        #expect(try store.list(prefix: "", after: nil, limit: 9, of: "other").keys.isEmpty)
    }

    @Test func quotaCountsKeysAndValuesOfThatPluginAndRefusesWithoutAChange() throws {
        #expect(try put("a", "12345", quota: 10))
        #expect(try put("b", "123", quota: 10))
        #expect(try !put("c", "", quota: 10))
        #expect(try !put("b", "1234", quota: 10))
        #expect(try store.get("b", of: "sample") == Array("123".utf8))
        // Replacing counts the new value in place of the old one.
        #expect(try put("a", "1234", quota: 10))
        #expect(try put("a", "12345678", of: "other", quota: 10))
    }

    @Test func keysAreListedInTheOrderOfTheirBytesPageByPage() throws {
        for key in ["b/2", "b/10", "a", "b/\u{E9}", "B", "b/1", "b/%", "b/_"] { #expect(try put(key, "")) }
        let all = try store.list(prefix: "b/", after: nil, limit: 100, of: "sample")
        #expect(all.keys == ["b/%", "b/1", "b/10", "b/2", "b/_", "b/\u{E9}"] && !all.more)
        var pages: [[String]] = []
        var after: String?
        repeat {
            let page = try store.list(prefix: "b/", after: after, limit: 4, of: "sample")
            pages.append(page.keys)
            after = page.more ? page.keys.last : nil
        } while after != nil
        #expect(pages == [["b/%", "b/1", "b/10", "b/2"], ["b/_", "b/\u{E9}"]])
    }

    @Test func keyWithAZeroIsNotItsBeginning() throws {
        #expect(try put("a\0b", "1"))
        #expect(try store.get("a", of: "sample") == nil)
        #expect(try store.list(prefix: "", after: nil, limit: 9, of: "sample").keys == ["a\0b"])
    }

    @Test func valuesGoWithTheirPlugin() throws {
        #expect(try put("k", "v"))
        try folder.catalog().remove("sample")
        #expect(try store.get("k", of: "sample") == nil)
        // An update is no removal.
        try folder.catalog().install(try SamplePlugin.bundle(name: "other", tools: ["other_echo"], content: "new"))
        #expect(try put("k", "v", of: "other"))
        try folder.catalog().install(try SamplePlugin.bundle(name: "other", tools: ["other_echo"], content: "newer"))
        #expect(try store.get("k", of: "other") != nil)
    }
}
