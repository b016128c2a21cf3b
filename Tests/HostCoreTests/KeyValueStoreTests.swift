import GRDB
import Synchronization
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
        let quota = 10 + 2 * HostLimits.keyOverheadBytes
        #expect(try put("a", "12345", quota: quota))
        #expect(try put("b", "123", quota: quota))
        #expect(try !put("b", "1234", quota: quota))
        #expect(try store.get("b", of: "sample") == Array("123".utf8))
        // Replacing counts the new value in place of the old one.
        #expect(try put("a", "1234", quota: quota))
        #expect(try put("b", "1234", quota: quota))
        #expect(try put("a", "12345678", of: "other", quota: quota))
    }

    @Test func keysWithoutValuesFillTheQuotaToo() throws {
        let quota = 3 * (1 + HostLimits.keyOverheadBytes)
        for key in ["a", "b", "c"] { #expect(try put(key, "", quota: quota)) }
        #expect(try !put("d", "", quota: quota))
        #expect(try store.delete("b", of: "sample"))
        #expect(try put("d", "", quota: quota))
        #expect(try !put("b", "", quota: quota))
    }

    @Test func aStoreOverALoweredQuotaShrinksButDoesNotGrow() throws {
        #expect(try put("a", "12345"))
        #expect(try !put("a", "123456", quota: 10))
        #expect(try put("a", "1234", quota: 10))
        #expect(try store.delete("a", of: "sample"))
        #expect(try !put("a", "1", quota: 10))
    }

    @Test func theSumIsThatOfTheRowsAfterAnySeriesOfChanges() throws {
        let database = try folder.database()
        for round in 0..<200 {
            let (key, text) = ("k\(round * 7 % 13)", String(repeating: "v", count: round * 31 % 50))
            if round % 5 == 0 { _ = try store.delete(key, of: "sample") } else { _ = try put(key, text, quota: 900) }
            let sums = try database.read { database in
                try Int.fetchAll(
                    database,
                    sql: """
                        SELECT bytes FROM value_sum WHERE plugin = 'sample' UNION ALL
                        SELECT coalesce(sum(length(key) + length(bytes) + 64), 0) FROM value WHERE plugin = 'sample'
                        """)
            }
            #expect(sums.count == 2 ? sums[0] == sums[1] : sums == [0], "round \(round)")
        }
    }

    /// How SQLite says that it would run a statement.
    private func plan(_ sql: String) throws -> [String] {
        let database = try folder.database()
        return try database.read { database in
            let nothing = StatementArguments(sql.filter { $0 == "?" }.map { _ in DatabaseValue.null })
            return try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: nothing).map {
                $0["detail"]
            }
        }
    }

    @Test func noPutOrDeleteReadsTheOtherValues() throws {
        let database = try folder.database()
        let traced = Mutex<[String]>([])
        try database.write { database in
            database.trace { event in traced.withLock { $0.append(event.description) } }
        }
        let store = KeyValueStore(database: database)
        #expect(try store.put("a", [1], of: "sample", quota: 1_000))
        #expect(try store.put("a", [2], of: "sample", quota: 1_000))
        #expect(try store.delete("a", of: "sample"))
        let statements = traced.withLock { $0 }.filter { $0.contains(" value ") }
        #expect(statements.count >= 6)
        for statement in statements {
            for step in try plan(statement) { #expect(step.contains("(plugin=? AND key=?)"), "\(statement): \(step)") }
        }
    }

    @Test func aListReadsOnlyTheRangeOfItsPrefix() throws {
        for after in [nil, "a", "b/x"] {
            let statement = KeyValueStore.listing(prefix: "b/", after: after, limit: 1, of: "sample")
            let steps = try plan(statement.sql)
            #expect(steps == ["SEARCH value USING PRIMARY KEY (plugin=? AND key>? AND key<?)"], "\(steps)")
        }
    }

    @Test func theEndOfAPrefixIsTheNextBytesAfterAllThatHaveIt() {
        #expect(KeyValueStore.end(of: []) == nil)
        #expect(KeyValueStore.end(of: [0x61]) == [0x62])
        #expect(KeyValueStore.end(of: [0x61, 0xFF, 0xFF]) == [0x62])
        #expect(KeyValueStore.end(of: [0xFF, 0xFF]) == nil)
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
