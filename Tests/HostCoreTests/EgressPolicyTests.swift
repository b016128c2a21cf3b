import Egress
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct EgressPolicyTests {
    private let plugin: InstalledPlugin
    private let overridden: InstalledPlugin

    init() throws {
        plugin = try SamplePlugin.installed()
        let origin = try #require(Origin("https://127.0.0.1:8443"))
        overridden = try SamplePlugin.installed(endpoints: [
            "exchange": EndpointOverride(origin: origin, authority: "PEM", weakeningLoopback: true)
        ])
    }

    private func request(
        endpoint: String = "exchange", method: String = "GET", path: String = "/api/v3/price", query: String = "",
        headers: [(String, String)] = []
    ) throws -> FetchRequest {
        var object = JSONObject()
        for (name, value) in headers { object[name] = .string(value) }
        return try FetchRequest(
            Message.Payload([
                "endpoint": .string(endpoint), "method": .string(method), "path": .string(path),
                "query": .string(query), "headers": .object(object),
            ]))
    }

    private func denial(_ request: FetchRequest, _ plugin: InstalledPlugin? = nil) -> String? {
        refusal { () throws(ABIError) in try EgressPolicy.route(request, for: plugin ?? self.plugin) }.map {
            $0.code == .permissionDenied ? $0.message : "wrong code \($0.code)"
        }
    }

    @Test func aDeclaredRequestGoesToTheDeclaredOriginOnly() throws {
        let route = try EgressPolicy.route(try request(query: "symbol=BTCUSDT&x=%20"), for: plugin)
        #expect(route.origin.description == "https://api.example.com")
        #expect(route.authority == nil && !route.isLoopbackAllowed)
    }

    @Test(arguments: ["", "Exchange", "exchange\0", "exchange ", "exchange/", "https://evil.example", "exchange.evil"])
    func endpointsThatWereNotDeclaredAreRefused(name: String) throws {
        #expect(
            denial(try request(endpoint: name))
                == "http.fetch refused: the endpoint \"\(name)\" is not declared (declared: exchange)")
    }

    @Test func emptyAllowListAllowsNothing() throws {
        var bare = plugin
        bare.manifest.permissions.httpFetch = []
        #expect(
            denial(try request(), bare)
                == "http.fetch refused: the endpoint \"exchange\" is not declared (declared: none)")
        var hollow = plugin
        hollow.manifest.permissions.httpFetch[0].methods = []
        #expect(denial(try request(), hollow) != nil)
        hollow = plugin
        hollow.manifest.permissions.httpFetch[0].paths = []
        #expect(denial(try request(), hollow) != nil)
    }

    @Test(arguments: [
        "DELETE", "PUT", "get", "Get", "", "GET ", "GET\r\nX: y", "CONNECT", "TRACE", "GET\0", "P\u{4F}ST\u{301}",
    ])
    func methodsThatWereNotDeclaredAreRefused(method: String) throws {
        #expect(denial(try request(method: method))?.contains("allows GET, POST, not") == true)
    }

    @Test(arguments: [
        "/api/v3/../../sapi/withdraw", "/api/v3/..", "/api/v3/.", "/api/v3/./x", "/api/v3/%2e%2e/%2e%2e/sapi",
        "/api/v3/%2E%2E%2Fsapi", "/api/v3/..%2f..%2fsapi", "/api/v3//sapi", "//evil.example/api/v3/", "/api/v3/x//",
        "/api/v3/..;/sapi", "/api/v3/;/../sapi", "/api/v3/x;a=b", "/api/v3/..\\..\\sapi", "\\api\\v3\\",
        "/api/v3/x?y=1",
        "/api/v3/x#y", "/api/v3/x y", "/api/v3/x\r\nHost: evil", "/api/v3/x\0", "/api/v3/x\t", "/api/v3/é",
        "/api/v3/\u{FF0E}\u{FF0E}/x", "/api/v3/\u{2025}/x", "/api/v3/x@evil.example", "/api/v3/x:80", "", "api/v3/x",
        "https://evil.example/api/v3/", "@evil.example/api/v3/x", ".evil.example/api/v3/", ":80/api/v3/", "/api/v3/%",
        "/\u{301}api/v3/", "/api/v3/" + String(repeating: "a", count: 2_048),
    ])
    func pathTricksAreRefused(path: String) throws {
        #expect(
            denial(try request(path: path))
                == "http.fetch refused: the path must be plain: letters, digits and -._~/ only, no // "
                + "and no dot segments"
        )
    }

    @Test(arguments: [
        "/", "/api", "/api/v3", "/api/v33/x", "/api/v3x/y", "/API/v3/x", "/sapi/v1/withdraw", "/x/api/v3/y",
    ])
    func plainPathsOutsideThePrefixAreRefused(path: String) throws {
        #expect(
            denial(try request(path: path))
                == "http.fetch refused: permissions.http.fetch \"exchange\" allows paths under /api/v3/, not \(path)")
    }

    @Test(arguments: ["/api/v3/", "/api/v3/a/b", "/api/v3/a..b", "/api/v3/...", "/api/v3/~x_-.y/"])
    func plainPathsUnderThePrefixPass(path: String) throws {
        #expect(denial(try request(path: path)) == nil)
    }

    @Test(arguments: ["a b", "a#b", "a\r\nb", "a\nb", "a\0b", "a=é", "\u{7F}", "\t", "a\u{2028}b"])
    func queriesThatCouldEndTheRequestLineAreRefused(query: String) throws {
        #expect(
            denial(try request(query: query)) == "http.fetch refused: the query must be percent-encoded ASCII without #"
        )
    }

    @Test(arguments: [
        ("X-A\r\nHost", "v"), ("X-A", "v\r\nHost: evil"), ("X-A", "v\nX: y"), ("X-A", "v\0"), ("X A", "v"), ("", "v"),
        ("X-A:", "v"), ("X-É", "v"), ("X-A", "é"), ("X-A", "\t"), ("X_A", "v"), (":authority", "v"),
        ("X-A\u{301}", "v"),
    ])
    func headerInjectionIsRefused(name: String, value: String) throws {
        #expect(denial(try request(headers: [(name, value)]))?.contains("is not a plain name and value") == true)
    }

    @Test(arguments: [
        "Host", "hOsT", "Content-Length", "Transfer-Encoding", "TE", "Trailer", "Connection", "Upgrade", "Expect",
        "Proxy-Authorization", "Cookie", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
        "X-Forwarded-Prefix", "Via",
    ])
    func headersThatFrameOrAddressTheRequestAreTheHosts(name: String) throws {
        #expect(
            denial(try request(headers: [(name, "x")]))
                == "http.fetch refused: the header \(name) is set by the host only")
    }

    /// Servers that honour these act on another path, method or host than the one that was checked.
    @Test(arguments: [
        "X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-HTTP-Method-Override", "X-HTTP-Method",
        "X-Method-Override", "X-Host", "X-Original-Host", "X-Real-IP",
    ])
    func headersThatOverrideTheCheckedRequestAreRefused(name: String) throws {
        #expect(denial(try request(headers: [(name, "/sapi/v1/withdraw")])) != nil)
        #expect(denial(try request(headers: [(name.lowercased(), "DELETE")])) != nil)
    }

    @Test func headersAreCounted() throws {
        let many = (0...HostLimits.fetchHeaders).map { ("X-\($0)", "v") }
        #expect(denial(try request(headers: Array(many.dropLast()))) == nil)
        #expect(denial(try request(headers: many)) == "http.fetch refused: more than 32 headers")
    }

    @Test func overridesChangeTheOriginAndNothingElse() throws {
        let route = try EgressPolicy.route(try request(), for: overridden)
        #expect(route.origin.description == "https://127.0.0.1:8443")
        #expect(route.authority == "PEM" && route.isLoopbackAllowed)
        #expect(denial(try request(path: "/sapi/x"), overridden) != nil)
        #expect(denial(try request(method: "DELETE"), overridden) != nil)
    }

    @Test func refusalsStayShortWhateverThePluginSends() throws {
        let bloat = "e" + String(repeating: "\u{301}", count: 200_000)
        for request in [
            try request(endpoint: bloat), try request(method: bloat), try request(headers: [(bloat, "v")]),
        ] {
            #expect(try #require(denial(request)).utf8.count < 2_000)
        }
    }

    /// What a manifest may not even name: literals, second spellings, and names that end early.
    @Test(arguments: [
        "https://127.0.0.1", "https://0x7f000001", "https://0x7f.1", "https://2130706433", "https://127.0.0.0x1",
        "https://[::1]", "https://[::ffff:127.0.0.1]", "https://api.example.com.", "https://API.example.com",
        "https://api.example.com\0.evil.example", "https://api.example.com%00.evil.example",
        "https://user@api.example.com",
        "https://api.example.com:443@evil.example", "https://[api.example.com]", "http://api.example.com",
        "https://api.example.com/", "https://api..example.com", "https://localhost", "https://exämple.com",
        "https://api.example.com:0", "https://api.example.com:65536", "https://api.example.com:+443",
        "https://api.example.com:0443", "https://-a.example.com", "https://", "https://a_b.example.com",
    ])
    func originsThatCouldBeReadInTwoWaysAreNotInstalled(origin: String) {
        let bytes = SamplePlugin.manifest(
            origin: origin.contains("\0") ? "https://api.example.com\\u0000.evil" : origin)
        let error = refusal { () throws(ManifestError) in try PluginManifest(parsing: bytes) }
        #expect(error?.field == "permissions.http.fetch[0].origin")
    }

    // MARK: addresses

    private func verdict(_ addresses: [[UInt8]], _ plugin: InstalledPlugin) throws -> String? {
        let route = try EgressPolicy.route(try request(), for: plugin)
        let (target, rule) = try EgressPolicy.target(of: route)
        return refusal { () throws(EgressRefusal) in
            try rule.checked(addresses.map { NetworkAddress(bytes: $0) }, of: target.host)
        }.map { EgressPolicy.refusal($0).error.message }
    }

    @Test func loopbackIsRefusedWithoutTheWeakening() throws {
        #expect(
            try verdict([[127, 0, 0, 1]], plugin)
                == "http.fetch refused: api.example.com is 127.0.0.1, a loopback address of this host; "
                + "`nexus plugin endpoint … --dev-loopback` would allow one")
        #expect(try verdict([[127, 9, 9, 9]], plugin) != nil)
        #expect(try verdict([[UInt8](repeating: 0, count: 15) + [1]], plugin) != nil)
    }

    @Test func withTheWeakeningNothingButLoopbackIsReached() throws {
        #expect(try verdict([[127, 0, 0, 1]], overridden) == nil)
        #expect(
            try verdict([[93, 184, 215, 14]], overridden)
                == "http.fetch refused: 127.0.0.1 is 93.184.215.14, but only loopback is allowed under this name")
        #expect(try verdict([[10, 0, 0, 1]], overridden)?.contains("a private address") == true)
        #expect(try verdict([[0, 0, 0, 0]], overridden)?.contains("a this network address") == true)
    }

    @Test func oneBadAddressAmongGoodOnesRefusesTheName() throws {
        let good: [UInt8] = [93, 184, 215, 14]
        #expect(try verdict([good], plugin) == nil)
        #expect(try verdict([good, [169, 254, 169, 254]], plugin) != nil)
        #expect(try verdict([good, [127, 0, 0, 1]], plugin) != nil)
        #expect(try verdict([[127, 0, 0, 1], good], overridden) != nil)
        #expect(try verdict([], plugin) == "api.example.com has no address; check the name and the host's DNS")
    }
}
