import AuditLog
import Foundation
import JSONBytes
import PluginABI
import Synchronization
import Testing

@testable import HostCore
@testable import HostSurfaces

/// The form as a browser and as attackers meet it, over a real store.
@Suite struct SecretFormTests {
    let host: FormHost

    init() throws { host = try FormHost() }

    @Test func aPersonWithLinkAndCodeStoresACredential() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        #expect(page.status == 200 && page.text.contains("<strong>bot</strong>") && page.text.contains("alice"))
        let answer = host.send(invitation, page: page, values: ["ke+y & =", "s\u{E9}cret"])
        #expect(answer.status == 303 && answer.header("location") == "/secret/stored" && answer.body.isEmpty)
        #expect(try host.stored("key") == "ke+y & =" && host.stored("secret") == "s\u{E9}cret")
        let end = host.get("/secret/stored")
        #expect(end.status == 200 && end.header("clear-site-data") != nil && end.text.contains("stored"))
    }

    @Test func everyAnswerForbidsCachingFramingSniffingAndForeignContent() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        let answers = [
            page, host.get("/secret/stored"), host.get("/secret/unknown"), host.send(invitation, page: page, code: "0"),
            host.get(invitation.path, host: "evil.example"), host.respond("PUT", invitation.path),
            host.send(invitation, page: page),
        ]
        for answer in answers {
            for (name, value) in [
                ("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY"),
                ("x-content-type-options", "nosniff"), ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] { #expect(answer.header(name) == value, "\(answer.status) \(name)") }
            #expect(answer.header("strict-transport-security") == nil, "not without TLS")
        }
        for answer in answers where !answer.body.isEmpty {
            let policy = answer.header("content-security-policy") ?? ""
            for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
                #expect(policy.contains(part), "\(answer.status): \(policy)")
            }
            #expect(!policy.contains("unsafe") && !policy.contains("script-src"))
        }
        let fresh = try host.invite()
        #expect(
            host.load(fresh).header("content-security-policy") != host.load(fresh).header("content-security-policy"))
        let secure = host.get(fresh.path, host: "n.example:1", site: .secure(names: ["n.example"], port: 1))
        #expect(secure.status == 200 && secure.header("strict-transport-security") != nil)
    }

    @Test func theCookieIsOfThisHostAloneAndOutOfReachOfScripts() throws {
        let cookie = host.load(try host.invite()).header("set-cookie") ?? ""
        #expect(cookie.hasPrefix("__Host-nexus-form="))
        for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Max-Age=600"] {
            #expect(cookie.contains(part), "\(cookie)")
        }
        #expect(!cookie.contains("Domain"))
    }

    @Test func replayOfASubmissionFindsNothing() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        #expect(host.send(invitation, page: page, values: ["a", "b"]).status == 303)
        let replay = host.send(invitation, page: page, values: ["c", "d"])
        #expect(replay.status == 404 && replay.body == host.get("/secret/unknown").body)
        #expect(try host.stored("key") == "a")
    }

    @Test func linkScannersUseNothingUp() throws {
        let invitation = try host.invite()
        for _ in 0..<50 {
            #expect(host.get(invitation.path).status == 200)
            let head = host.respond("HEAD", invitation.path)
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(host.get(invitation.path, headers: [("sec-purpose", "prefetch")]).status == 200)
        }
        #expect(host.send(invitation, page: host.load(invitation)).status == 303)
    }

    @Test func aHeadAndAPrefetchAreNoOpening() throws {
        let invitation = try host.invite()
        _ = host.respond("HEAD", invitation.path)
        _ = host.get(invitation.path, headers: [("sec-purpose", "prefetch;prerender")])
        #expect(host.requests.state(of: invitation.id) == .pending)
        _ = host.get(invitation.path)
        #expect(host.requests.state(of: invitation.id) == .opened)
    }

    @Test func unknownUsedExpiredAndRefusedAreOneAnswer() throws {
        let (used, refused, expired) = (try host.invite(), try host.invite("bob"), try host.invite("carol"))
        let pages = (host.load(used), host.load(refused), host.load(expired))
        _ = host.send(used, page: pages.0)
        for _ in 0..<5 { _ = host.send(refused, page: pages.1, code: "000000") }
        host.time.withLock { $0 += HostLimits.secretFormMilliseconds }
        let unknown = host.get("/secret/\(String(repeating: "0", count: 64))")
        #expect(unknown.status == 404)
        for (invitation, page) in [(used, pages.0), (refused, pages.1), (expired, pages.2)] {
            for answer in [host.get(invitation.path), host.send(invitation, page: page)] {
                #expect(answer.status == 404 && answer.body == unknown.body)
                #expect(answer.headers.map(\.name) == unknown.headers.map(\.name))
                #expect(answer.headers.map(\.value) == unknown.headers.map(\.value))
            }
        }
        for path in ["/secret/", "/secret/x/y", "/secret/../mcp", "/secret/%2e%2e/mcp", "/secret/a%0d%0aSet-Cookie:x"] {
            #expect(host.get(path).body == unknown.body && host.get(path).status == 404, "\(path)")
        }
    }

    @Test func foreignHostsAreRefusedBeforeTheLinkIsLookedAt() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        for name in ["evil.example", "127.0.0.1.evil.example:8765", "127.0.0.1:80", ""] {
            #expect(host.get(invitation.path, host: name).status == 403, "\(name)")
            #expect(host.send(invitation, page: page, host: name).status == 403)
        }
        #expect(host.get("/secret/none", host: "evil.example").status == 403)
        #expect(try host.stored("key") == nil && host.requests.state(of: invitation.id) == .opened)
    }

    @Test func aPostFromAnotherSiteIsRefused() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        let foreign: [[(String, String)]] = [
            [], [("origin", "null")], [("origin", "http://evil.example")],
            [("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")],
            [("origin", "http://127.0.0.1:8765"), ("sec-fetch-site", "cross-site")],
            [("origin", "null"), ("sec-fetch-site", "same-site")], [("origin", "null"), ("sec-fetch-site", "none")],
        ]
        for headers in foreign {
            #expect(host.send(invitation, page: page, from: headers).status == 403, "\(headers)")
        }
        #expect(try host.stored("key") == nil)
        let silent = [("origin", "null"), ("sec-fetch-site", "same-origin")]
        #expect(host.send(invitation, page: page, from: silent).status == 303, "as browsers send it from our page")
    }

    @Test func withoutItsMarkOrItsCookieAPostIsForged() throws {
        let (invitation, other) = (try host.invite(), try host.invite("bob"))
        let (page, foreign) = (host.load(invitation), host.load(other))
        #expect(host.send(invitation, page: page, cookie: "").status == 403)
        #expect(host.send(invitation, page: page, cookie: foreign.cookie).status == 403)
        #expect(host.send(invitation, page: page, mark: "").status == 403)
        #expect(host.send(invitation, page: page, mark: foreign.mark).status == 403)
        #expect(host.send(invitation, page: foreign).status == 403, "another form's page")
        #expect(host.send(invitation, page: page, cookie: "\(page.cookie); __Host-nexus-form=00").status == 403)
        #expect(try host.stored("key") == nil)
        #expect(host.send(invitation, page: page).status == 303)
    }

    @Test func onePageOpenTwiceWorksInBoth() throws {
        let invitation = try host.invite()
        let first = host.load(invitation)
        let second = host.get(invitation.path, headers: [("cookie", "other=1; \(first.cookie)")])
        #expect(second.cookie == first.cookie && second.mark == first.mark)
    }

    @Test func aWrongPairingCodeIsSaidAndTheSixthFindsNothing() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        for left in ["4 tries are left", "3 tries are left", "2 tries are left", "1 try is left"] {
            let answer = host.send(invitation, page: page, code: "000-000")
            #expect(answer.status == 403 && answer.text.contains(left) && answer.text.contains("role=\"alert\""))
            #expect(!answer.text.contains("value-of"), "what was typed is not shown")
        }
        #expect(host.send(invitation, page: page, code: "000-000").status == 404)
        #expect(host.send(invitation, page: page).status == 404, "the right one comes too late")
        #expect(try host.stored("key") == nil)
    }

    @Test func anothersCodeStoresNothing() throws {
        let (alice, bob) = (try host.invite(), try host.invite("bob"))
        #expect(host.send(bob, page: host.load(bob), code: alice.code).status == 403)
        #expect(try host.stored("key", of: "bob") == nil && host.stored("key") == nil)
    }

    @Test func valuesThatCannotBeSecretsAreSentBackAndCostNoAttempt() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        let long = String(repeating: "x", count: HostLimits.secretBytes + 1)
        for values in [["", "b"], ["a", ""], ["a"], [long, "b"]] {
            let answer = host.send(invitation, page: page, values: values)
            #expect(answer.status == 422 && !answer.text.contains(long), "\(values.map(\.count))")
        }
        let longest = String(repeating: "%", count: HostLimits.secretBytes)
        #expect(host.send(invitation, page: page, values: [longest, longest]).status == 303)
        #expect(try host.stored("key") == longest)
    }

    @Test func onlyAFormIsTaken() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        for type in [nil, "text/plain", "application/json", "multipart/form-data; boundary=x"] {
            #expect(host.send(invitation, page: page, type: type).status == 415)
        }
        #expect(host.send(invitation, page: page, extra: "&code=1").status == 400, "a field twice")
        #expect(host.send(invitation, page: page, extra: "&x=%zz").status == 400)
        #expect(host.respond("DELETE", invitation.path).status == 405)
        #expect(
            host.send(invitation, page: page, type: "application/x-www-form-urlencoded; charset=utf-8").status == 303)
    }

    @Test func thePageIsNoFrameImageOrScriptOfAnother() throws {
        let invitation = try host.invite()
        for destination in ["iframe", "image", "script", "empty"] {
            #expect(host.get(invitation.path, headers: [("sec-fetch-dest", destination)]).status == 403)
        }
        #expect(host.get(invitation.path, headers: [("sec-fetch-dest", "document")]).status == 200)
    }

    @Test func withoutAnAuditLogNothingIsTaken() throws {
        let invitation = try host.invite()
        let page = host.load(invitation)
        try host.breakAudit()
        let answer = host.send(invitation, page: page)
        #expect(answer.status == 503 && !answer.text.contains("/tmp"), "\(answer.text)")
        #expect(try host.stored("key") == nil)
    }
}
