import Foundation
import Testing

@testable import HostCore

@Suite struct AuthenticatorTests {
    let folder: TestHome
    let tokens: TokenStore
    let authenticator: Authenticator

    init() throws {
        folder = try TestHome()
        tokens = TokenStore(database: try folder.database())
        authenticator = Authenticator(tokens: tokens, administrators: [4_242])
    }

    private func caller(_ presented: Presented) throws(HostError) -> Caller { try authenticator.caller(presented) }
    private func error(_ presented: Presented) -> HostError? {
        refusal { () throws(HostError) in try authenticator.caller(presented) }
    }

    @Test func aTokensOwnerIsActorAndPrincipal() throws {
        let bearer = try tokens.create(user: "alice").bearer
        #expect(try caller(Presented(bearer: bearer)) == Caller(actor: "alice", principal: "alice"))
    }

    @Test func tokenForMetricsReadsThemAndNothingElse() throws {
        let reader = Presented(bearer: try tokens.create(user: "monitor", use: .metrics).bearer)
        let caller = Presented(bearer: try tokens.create(user: "alice").bearer)
        let refused = { (presented: Presented) in
            refusal { () throws(HostError) in try authenticator.checkMetricsReader(presented) }
        }
        #expect(refused(reader) == nil)
        #expect(error(reader)?.message.contains("the token of monitor reads /metrics only") == true)
        #expect(refused(caller)?.code == .forbidden)
        #expect(refused(caller)?.message.hasSuffix("`nexus token create --user NAME --metrics`") == true)
        #expect(refused(Presented())?.code == .unauthenticated)
        #expect(refused(Presented(bearer: "nxt_wrong"))?.code == .unauthenticated)
        // The kernel's word on a peer is for the Unix socket, where administrators read them.
        #expect(refused(Presented(peerUserID: 4_242))?.code == .unauthenticated)
    }

    @Test func anEndUserLivesUnderTheGroupThatTheTokenMayActFor() throws {
        let bearer = try tokens.create(user: "agent", mayActFor: "team").bearer
        let seen = try caller(Presented(bearer: bearer, onBehalfOf: "alice"))
        #expect(seen == Caller(actor: "agent", principal: "team/alice"))
        #expect(try caller(Presented(bearer: bearer)).principal == "agent")
    }

    @Test func tokenWithoutTheRightThatNamesAnEndUserIsRefused() throws {
        let bearer = try tokens.create(user: "alice").bearer
        for name in ["bob", "alice", "", "root"] {
            let error = error(Presented(bearer: bearer, onBehalfOf: name))
            #expect(error?.code == .forbidden)
            #expect(
                error?.message
                    == "the token of alice may not act for others; create one with --may-act-for GROUP")
        }
    }

    @Test(arguments: [
        "", "a/b", "../alice", "a\0", "ünal", "a b", "a\r\nb", "a\u{301}", "Ａ", "@", "-a", "/",
        String(repeating: "a", count: 65), "*", "alice%2f",
    ])
    func endUsersWhoseNamesCouldBeMistakenAreRefused(name: String) throws {
        let bearer = try tokens.create(user: "agent", mayActFor: "team").bearer
        let error = error(Presented(bearer: bearer, onBehalfOf: name))
        #expect(error?.code == .forbidden)
        #expect(error?.message == "the end user's name is not valid: \(UserName.rule)")
    }

    @Test func socketPeerWithoutATokenNamesNobodyElse() throws {
        #expect(try caller(Presented(peerUserID: 4_242)).isAdministrator)
        #expect(try caller(Presented(peerUserID: 4_243)).isAdministrator == false)
        #expect(try caller(Presented(peerUserID: 4_000_000_000)).actor == "uid-4000000000")
        let error = error(Presented(peerUserID: 4_242, onBehalfOf: "alice"))
        #expect(
            error?.message == "only a token made with --may-act-for may name an end user; this connection has none")
    }

    @Test func nobodyIsNobodyHoweverTheyAsk() throws {
        let words = "this request carries no token; send \"Authorization: Bearer …\" (see `nexus token create`)"
        #expect(error(Presented())?.message == words)
        #expect(error(Presented(onBehalfOf: "alice"))?.message == words)
        #expect(error(Presented(bearer: ""))?.code == .unauthenticated)
        #expect(error(Presented(peerUserID: 4_242, bearer: "nxt_wrong"))?.code == .unauthenticated)
    }

    @Test func tokenOverTheSocketDecidesWhoCallsAndTheKernelWhoAdministers() throws {
        let bearer = try tokens.create(user: "alice").bearer
        #expect(
            try caller(Presented(peerUserID: 4_242, bearer: bearer))
                == Caller(actor: "alice", principal: "alice", isAdministrator: true))
        #expect(try caller(Presented(peerUserID: 1, bearer: bearer)).isAdministrator == false)
        #expect(try caller(Presented(bearer: bearer)).isAdministrator == false)
    }

    @Test func principalsAreAUserOrAUserOfAGroup() {
        for good in ["alice", "team/alice", "a@b.c", "uid-7", "0"] { #expect(UserName.isValidPrincipal(good)) }
        for bad in ["", "/", "a/", "/a", "a//b", "a/b/c", "a/\u{301}b", "a/b\0", "team/ünal", "a b"] {
            #expect(!UserName.isValidPrincipal(bad), "\(bad)")
        }
    }

    @Test func rootHasItsName() { #expect(Authenticator.userName(0) == "root") }
}
