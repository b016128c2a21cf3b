import JSONBytes
import PluginABI
import Testing

@Suite struct ManifestReaderPermissionsTests {
    private func fetch(_ name: String, to value: JSONValue?) throws -> String {
        try ManifestSamples.refusal(["permissions", "http.fetch", "0", name], value)
    }

    @Test func aMisspeltPermissionIsRefused() throws {
        #expect(
            try ManifestSamples.refusal(["permissions", "http.fecth"], [])
                == "permissions.http.fecth: unknown permission; "
                + "known here: credentials, filesystem, http.fetch, kv, net.connect, resources")
        #expect(
            try ManifestSamples.refusal(["permissions", "network"], "all").hasPrefix(
                "permissions.network: unknown permission"))
        #expect(
            try ManifestSamples.refusal(["permissions", "resources", "memory"], 1).hasPrefix(
                "permissions.resources.memory: unknown resource; known here: cpuPercent, memoryMegabytes, openFiles, "))
        #expect(try fetch("path", to: "/").hasPrefix("permissions.http.fetch[0].path: unknown field"))
    }

    @Test func everyPermissionHasAReason() throws {
        let advice = "is missing; say for the admin what the plugin needs this for"
        #expect(try fetch("reason", to: .none) == "permissions.http.fetch[0].reason: \(advice)")
        #expect(
            try ManifestSamples.refusal(["permissions", "resources", "reason"], .none)
                == "permissions.resources.reason: \(advice)")
        #expect(
            try fetch("reason", to: "") == "permissions.http.fetch[0].reason: must have 1 to 1000 characters, found 0")
        #expect(
            try ManifestSamples.refusal(["permissions", "credentials", "0", "reason"], .none)
                == "permissions.credentials[0].reason: \(advice)")
    }

    @Test func aReasonCannotRepaintTheConsentScreen() throws {
        for reason in [
            "a\u{1B}[2Kb", "a\rb", "a\u{9B}2Jb", "a\u{202E}b", "a\u{2066}b", "a\u{2028}b", "a\u{200B}b", "a\u{FEFF}b",
        ] {
            #expect(
                try fetch("reason", to: .string(reason))
                    == "permissions.http.fetch[0].reason: must not hold control or invisible formatting characters")
        }
    }

    @Test func oneVisibleCharacterCannotHideThousands() throws {
        let reason = "a" + String(repeating: "\u{301}", count: 1_000)
        #expect(reason.count == 1)
        #expect(
            try fetch("reason", to: .string(reason))
                == "permissions.http.fetch[0].reason: must have 1 to 1000 characters, found 1001")
    }

    @Test func aFieldNameCannotSendTerminalEscapes() throws {
        let refusal = try ManifestSamples.refusal(["permissions", "\u{1B}[2J\nok"], [])
        #expect(refusal.hasPrefix(#"permissions."\u001b[2J\nok": unknown permission"#))
    }

    @Test(arguments: [
        "http://api.example.com", "https://api.example.com/", "https://user@api.example.com",
        "https://u:p@api.example.com",
        "https://127.0.0.1", "https://[::1]", "https://0x7f.1", "https://2130706433", "https://localhost",
        "https://api.example.com.", "https://API.example.com", "https://api.example.com:0",
        "https://api.example.com:65536",
        "https://api.example.com:0443", "https://api.example.com:+443", "https://api.example.com:", "https://",
        "https://api..example.com", "https://-a.example.com", "https://a_b.example.com", "https://éxample.com",
        "https://api.example.com?x", "https://api.example.com#x", "HTTPS://api.example.com", "https://*.example.com",
        "https://api.example.com:443:443", "https:/api.example.com", "https://api.example.com\\@evil.com",
        "https://1.2.3.4.5", "https://example.com%2eevil.com", "https://a\u{301}.example.com",
        "https://api.example.com ",
    ])
    func anOriginThatIsNotPlainIsRefused(_ origin: String) throws {
        #expect(
            try fetch("origin", to: .string(origin))
                == "permissions.http.fetch[0].origin: \"\(origin)\" must be https:// "
                + "and a lower-case DNS name, with :port if it is not 443")
    }

    @Test(arguments: [
        "", "/api", "api/", "/api/../", "/./", "/api//v3/", "//", "/%2e%2e/", "/api/%2F/", "/a?b/", "/a#b/", "/a\\b/",
        "/..;/", "/a;b/", "/é/", "/../\u{301}x/", "/a b/", "/\u{338}/", "https://x/",
    ])
    func aPathPrefixThatIsNotPlainIsRefused(_ path: String) throws {
        let refusal = try fetch("paths", to: [.string(path)])
        #expect(refusal.hasPrefix("permissions.http.fetch[0].paths[0]: "), "\(refusal)")
    }

    @Test(arguments: ["/", "/api/v3/", "/a-b_c.d~e/", "/a..b/", "/.well-known/", "/a:b@c/"])
    func plainPathPrefixesAreAccepted(_ path: String) throws {
        #expect(try fetch("paths", to: [.string(path)]) == "accepted")
    }

    @Test func emptyListsAllowNothingAndAreRefused() throws {
        for name in ["methods", "paths"] {
            #expect(
                try fetch(name, to: [])
                    == "permissions.http.fetch[0]: methods and paths must each name at least one; "
                    + "an empty list allows nothing"
            )
            #expect(try fetch(name, to: .none) == "permissions.http.fetch[0].\(name): is missing")
        }
    }

    @Test func methodsAreTheSixAndEachOnce() throws {
        for method in ["get", "CONNECT", "TRACE", "*", "OPTIONS", "GET "] {
            #expect(
                try fetch("methods", to: [.string(method)])
                    == "permissions.http.fetch[0].methods[0]: \"\(method)\" is not one of "
                    + "GET, HEAD, POST, PUT, PATCH, DELETE"
            )
        }
        #expect(
            try fetch("methods", to: ["GET", "GET"]) == "permissions.http.fetch[0].methods[1]: \"GET\" is named twice")
    }

    @Test func namesAreDeclaredOnce() throws {
        let good = try JSONValue(parsing: ManifestSamples.good)
        let entry = try #require(good["permissions"]?["http.fetch"]?.arrayValue?.first)
        #expect(
            try ManifestSamples.refusal(["permissions", "http.fetch", "1"], entry)
                == "permissions.http.fetch[1]: \"exchange\" is declared twice")
        #expect(
            try ManifestSamples.refusal(["permissions", "credentials", "1", "name"], "key")
                == "permissions.credentials[1]: \"key\" is declared twice")
    }

    @Test func scopesAreUserAndGlobal() throws {
        #expect(
            try ManifestSamples.refusal(["permissions", "credentials", "0", "scope"], "admin")
                == "permissions.credentials[0].scope: \"admin\" is not known; one of: user, global")
    }

    @Test func resourcesStayInTheirRanges() throws {
        let ranges = [
            ("memoryMegabytes", 16, 4_096), ("processes", 1, 256), ("openFiles", 16, 1_024), ("cpuPercent", 1, 800),
            ("temporaryMegabytes", 1, 1_024),
        ]
        for (name, low, high) in ranges {
            for value in [low, high] {
                #expect(
                    try ManifestSamples.refusal(["permissions", "resources", name], JSONValue(value)) == "accepted")
            }
            for value in [low - 1, high + 1, -1, .max, .min] {
                #expect(
                    try ManifestSamples.refusal(["permissions", "resources", name], JSONValue(value))
                        == "permissions.resources.\(name): must be an integer from \(low) to \(high), found \(value)")
            }
            let half = try JSONValue(parsing: "16.5")
            #expect(try ManifestSamples.refusal(["permissions", "resources", name], half).hasSuffix("found 16.5"))
        }
    }
}
