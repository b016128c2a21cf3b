import Foundation
import GRDB
import Registry
import Testing

@testable import HostCore

@Suite struct DatabaseTests {
    let folder: TestHome
    init() throws { folder = try TestHome() }

    @Test func aFileThatIsNoDatabaseIsRefusedByName() throws {
        try folder.write(String(repeating: "this is no database\n", count: 200), to: folder.home.database)
        let error = refusal { () throws(HostError) in try HostCore.Database(path: folder.home.database) }
        #expect(error?.code == .storageFailed)
        #expect(error?.message.hasPrefix("the database \(folder.home.database) cannot be opened: ") == true)
    }

    @Test func aMissingFolderIsRefusedByName() {
        let error = refusal { () throws(HostError) in try HostCore.Database(path: "/nonexistent/x.sqlite") }
        #expect(error?.code == .storageFailed)
    }

    @Test func aFailedStatementIsAHostErrorAndChangesNothing() throws {
        let database = try folder.database()
        let error = refusal { () throws(HostError) in
            try database.write { connection in
                try connection.execute(sql: "INSERT INTO plugin VALUES ('a', x'00', 'd', 'i')")
                try connection.execute(sql: "INSERT INTO tool VALUES ('t', 'nobody')")
            }
        }
        #expect(error?.code == .storageFailed && error?.retryable == true)
        #expect(try database.read { try $0.tableExists("plugin") })
        #expect(try PluginCatalog(database: database, store: .init(directory: folder.home.store)).list().isEmpty)
    }

    @Test func whatSQLiteRefusesComesWithARemedy() {
        let full = Database.words(DatabaseError(resultCode: .SQLITE_FULL))
        #expect(full == "its disk is full; free space on it (SQLite error 13)")
        let failing = Database.words(DatabaseError(resultCode: ResultCode(rawValue: 4_874)))
        #expect(failing.hasPrefix("its disk is full or fails; ") && failing.hasSuffix("(SQLite error 4874)"))
        #expect(Database.words(DatabaseError(resultCode: .SQLITE_CONSTRAINT)).contains("19"))
    }
}
