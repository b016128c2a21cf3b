import Foundation
import Synchronization
import Testing

@testable import HostCore

/// A clock that a test turns by hand.
final class HandClock: Sendable {
    private let seconds = Mutex(1_000_000)
    var now: Int { seconds.withLock { $0 } }
    func advance(_ count: Int) { seconds.withLock { $0 += count } }
}

@Suite struct TokenStoreTests {
    let folder: TestHome
    let clock = HandClock()
    let store: TokenStore

    init() throws {
        folder = try TestHome()
        let clock = clock
        store = TokenStore(database: try folder.database()) { clock.now }
    }

    @Test func tokenForMetricsActsForNobodyAndStaysWhatItIs() throws {
        let error = refusal { () throws(HostError) in try store.create(user: "m", mayActFor: "team", use: .metrics) }
        #expect(error?.message == "a token for metrics calls no tools, so it acts for nobody")
        let made = try store.create(user: "m", use: .metrics)
        #expect(try store.find(made.bearer) == made.record && made.record.use == .metrics)
        #expect(try store.list().map(\.use) == [.metrics])
    }

    private func words(_ bearer: String) -> String? {
        refusal { () throws(HostError) in try store.find(bearer) }.map { "\($0.code): \($0.message)" }
    }
    private let same =
        "unauthenticated: the token is not valid (unknown, expired or revoked); make one with `nexus token create`"

    @Test func aTokenIsFoundByItselfOnly() throws {
        let (record, bearer) = try store.create(user: "alice", mayActFor: "team")
        #expect(try store.find(bearer) == record)
        #expect(bearer.hasPrefix("nxt_") && bearer.utf8.count == 68)
        let near = [
            "", "nxt_", String(bearer.dropLast()), bearer + "0", bearer.uppercased(), " " + bearer, bearer + "\n",
            bearer + "\0", record.id, "' OR 1=1 --", String(repeating: "x", count: 100_000),
        ]
        for wrong in near { #expect(words(wrong) == same) }
    }

    @Test func unknownExpiredAndRevokedTokensAreRefusedInTheSameWords() throws {
        let (revoked, first) = try store.create(user: "a")
        try store.revoke(id: revoked.id)
        let (_, second) = try store.create(user: "b", lifetimeSeconds: 10)
        clock.advance(9)
        #expect(words(second) == nil)
        clock.advance(1)
        #expect(words(first) == same)
        #expect(words(second) == same)
        #expect(words("nxt_unknown") == same)
    }

    @Test func aRevocationKeepsItsTimeAndAnUnknownIdIsAnError() throws {
        let (record, _) = try store.create(user: "a")
        try store.revoke(id: record.id)
        clock.advance(5)
        try store.revoke(id: record.id)
        #expect(try store.list().map(\.revoked) == [1_000_000])
        #expect(
            refusal { () throws(HostError) in try store.revoke(id: "nope") }?.message
                == "no token has the id \"nope\"; see `nexus token list`")
    }

    @Test func noFileOfTheDatabaseHoldsAToken() throws {
        let (record, bearer) = try store.create(user: "alice")
        _ = try store.find(bearer)
        let bytes = try folder.databaseBytes()
        #expect(bytes.contains(record.id))
        #expect(!bytes.contains(bearer))
        #expect(!bytes.contains(String(bearer.dropFirst(4))))
    }

    @Test(arguments: [
        "", "a/b", "/a", "a\0b", "ünal", ".a", "-a", "@a", "a b", "a\n", "a\u{301}", "Ａ", "\u{212A}",
        "../x", "a:b", String(repeating: "a", count: 65),
    ])
    func namesThatCouldBeMistakenAreRefused(name: String) {
        let rule = "use 1 to 64 of A–Z, a–z, 0–9, . _ @ -, starting with a letter or digit"
        let asUser = refusal { () throws(HostError) in try store.create(user: name) }
        #expect(asUser?.message == "\"\(name)\" is not a user or group name: \(rule)")
        let asGroup = refusal { () throws(HostError) in try store.create(user: "a", mayActFor: name) }
        #expect(asGroup?.message == "\"\(name)\" is not a user or group name: \(rule)")
    }

    @Test(arguments: [0, -1, Int.min, 315_360_001, Int.max])
    func lifetimesOutsideTheRangeAreRefused(seconds: Int) {
        #expect(
            refusal { () throws(HostError) in try store.create(user: "a", lifetimeSeconds: seconds) }?.message
                == "a token lives from 1 second to 10 years, not \(seconds) seconds")
    }
}
