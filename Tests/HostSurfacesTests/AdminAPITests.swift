import JSONBytes
import Synchronization
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct AdminAPITests {
    let host: AdminHost
    init() async throws { host = try await AdminHost() }

    private static func concrete(_ route: AdminAPI.Route) -> String {
        route.path.split(separator: "/").map { $0 == "*" ? "/x" : "/\($0)" }.joined()
    }

    @Test func everyRouteButTheToolsNeedsAnAdministrator() async throws {
        let open = AdminAPI.routes.filter { !$0.needsAdministrator }.map { "\($0.method) \($0.path)" }
        #expect(open == ["GET /v1/tools", "POST /v1/tools/*/call"])
        let name = Authenticator.userName(AdminHost.stranger)
        for route in AdminAPI.routes where route.needsAdministrator {
            let answer = await host.ask(route.method, Self.concrete(route), as: AdminHost.stranger)
            #expect(answer.status == 403, "\(route.method) \(route.path)")
            #expect(answer.code == "forbidden")
            #expect(answer.message == "\(name) may not administer this host; its owner or root may: run as one of them")
        }
        #expect(host.stops.withLock { $0 } == 0)
        #expect(await host.ask("GET", "/v1/tools", as: AdminHost.stranger).status == 200)
    }

    @Test func whoeverIsNotKnownIsRefusedOnEveryRoute() async {
        for route in AdminAPI.routes {
            let nobody = await host.ask(route.method, Self.concrete(route), as: nil)
            #expect(nobody.status == 401 && nobody.code == "unauthenticated")
            let liar = await host.ask(route.method, Self.concrete(route), bearer: "nxt_unknown")
            #expect(liar.status == 401)
        }
    }

    @Test func tokenGivesNoAdministrationToItsHolder() async throws {
        let bearer = try host.api.tokens.create(user: "root").bearer
        for peer in [nil, AdminHost.stranger] {
            #expect(await host.ask("GET", "/v1/secrets", as: peer, bearer: bearer).status == 403)
            #expect(
                await host.ask("POST", "/v1/tokens", body: #"{"user":"a"}"#, as: peer, bearer: bearer).status == 403)
        }
    }

    @Test(arguments: [
        "", "/", "//", "/v1", "/v1/", "/v1/status/", "//v1/status", "/v1//status", "/v2/status", "/v1/Status",
        "/v1/plugins/",
        "/v1/plugins//start", "/v1/plugins/a/b/c/d/e", "/v1/plugins/%", "/v1/plugins/%zz", "/v1/plugins/%ff",
        "/v1/%73tatus",
        "x/v1/status", "v1/status", "/v1/status?x", "/v1/../v1/status",
    ])
    func pathsThatAreNoRouteAreNotFound(path: String) async {
        let answer = await host.ask("GET", path)
        #expect(answer.status == 404 && answer.code == "not-found", "\(path): \(answer.text)")
        #expect(answer.message == "GET \(path) is not part of the API")
    }

    @Test func methodsThatAreNoRouteAreNotFound() async {
        for method in ["PATCH", "get", "", "HEAD", "POST "] {
            #expect(await host.ask(method, "/v1/status").status == 404)
        }
    }

    @Test func namesInPathsArePercentDecodedOnce() {
        #expect(AdminAPI.match("/v1/plugins/*", "/v1/plugins/a%2Fb") == ["a/b"])
        #expect(AdminAPI.match("/v1/plugins/*", "/v1/plugins/a%252Fb") == ["a%2Fb"])
        #expect(AdminAPI.match("/v1/plugins/*", "/v1/plugins/%C3%A9") == ["é"])
        #expect(AdminAPI.match("/v1/plugins/*/endpoints/*", "/v1/plugins/a/endpoints/b") == ["a", "b"])
        for bad in [
            "/v1/plugins/%", "/v1/plugins/%4", "/v1/plugins/%C3", "/v1/plugins/", "/v1/plugins/a/b", "plugins/a",
        ] {
            #expect(AdminAPI.match("/v1/plugins/*", bad) == nil, "\(bad)")
        }
    }

    @Test func unknownPluginsAreNotFoundByName() async {
        for (method, path) in [
            ("GET", "/v1/plugins/nope"), ("DELETE", "/v1/plugins/nope"), ("POST", "/v1/plugins/nope/start"),
            ("POST", "/v1/plugins/nope/stop"), ("DELETE", "/v1/plugins/nope/endpoints/x"),
        ] {
            let answer = await host.ask(method, path)
            #expect(answer.status == 404)
            #expect(answer.message == "no plugin is called \"nope\"; see `nexus plugin list`")
        }
    }

    @Test func randomRequestsAlwaysGetAnAnswer() async throws {
        try await host.install()
        var random = AdminRandom(state: 2_026)
        let pieces = [
            "/", "v1", "plugins", "tools", "secrets", "tokens", "audit", "%", "%2F", "%00", "..", "sample", "call",
            "start",
            "endpoints", "exchange", "*", "\u{301}", "?", "é", "sample_echo", "status", "\0",
        ]
        let bodies = ["", "{}", "[", "null", "{\"user\":1}", "{\"origin\":\"https://a.b\"}", "\0\0\0\0", "{\"n\":1}"]
        for _ in 0..<3_000 {
            var path = random.next() % 8 == 0 ? "" : "/v1"
            for _ in 0..<random.next() % 6 { path += (random.next() % 3 == 0 ? "" : "/") + random.pick(pieces) }
            // Starting a plugin is the end-to-end tests' business.
            guard !path.hasSuffix("/start") else { continue }
            let answer = await host.ask(
                random.pick(["GET", "POST", "PUT", "DELETE"]), path,
                query: ["plugin": random.pick(pieces), "name": "key", "count": random.pick(pieces)],
                body: random.pick(bodies))
            #expect([200, 400, 401, 403, 404, 409, 500, 502].contains(answer.status), "\(path): \(answer.text)")
        }
    }
}

/// A small generator with a fixed seed: a failing case is the same on every machine.
struct AdminRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick(_ items: [String]) -> String { items[Int(next() % UInt64(items.count))] }
}
