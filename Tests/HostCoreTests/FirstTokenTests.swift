import Foundation
import Testing

@testable import HostCore

@Suite struct FirstTokenTests {
    let folder: TestHome
    init() throws { folder = try TestHome() }

    @Test func theFirstTokenIsMadeOnceInAPrivateFileAndWorks() throws {
        let tokens = TokenStore(database: try folder.database())
        try FirstToken.ensure(in: folder.home, user: "alice", tokens: tokens)
        try FirstToken.ensure(in: folder.home, user: "bob", tokens: tokens)
        #expect(try folder.mode(folder.home.firstToken) == 0o600)
        let bearer = try #require(FileBytes.text(folder.home.firstToken, limit: 256))
        #expect(try tokens.find(bearer).user == "alice")
        #expect(try tokens.list().count == 1)
    }

    @Test func tokenFileThatOthersMayReadIsRefused() throws {
        let tokens = TokenStore(database: try folder.database())
        try folder.write("nxt_x\n", to: folder.home.firstToken, mode: 0o644)
        let error = refusal { () throws(HostError) in try FirstToken.ensure(in: folder.home, user: "a", tokens: tokens)
        }
        #expect(error?.message.contains("can be read by other users (mode 644)") == true)
    }
}
