import JSONBytes
import PluginABI
import Testing

@Suite struct ManifestReaderTests {
    @Test func everyVectorHasItsOutcome() throws {
        let vectors = try ManifestSamples.vectors()
        #expect(Set(vectors.map { $0["name"] }).count == vectors.count)
        for vector in vectors {
            let name = try #require(vector["name"]?.stringValue)
            let bytes = try vector["text"]?.stringValue.map { Array($0.utf8) } ?? #require(vector["manifest"]).encoded()
            let refusal = ManifestSamples.refusal(of: bytes)
            if vector["valid"] == true {
                #expect(refusal == "accepted", "\(name)")
            } else {
                let field = try #require(vector["field"]?.stringValue)
                let message = try #require(vector["message"]?.stringValue)
                #expect(refusal.hasPrefix("\(field): "), "\(name): \(refusal)")
                #expect(refusal.dropFirst(field.utf8.count + 2).contains(message), "\(name): \(refusal)")
            }
        }
        #expect(vectors.count >= 400)
    }

    private func refusal(_ path: String..., to value: JSONValue?) throws -> String {
        try ManifestSamples.refusal(path, value)
    }

    @Test func everyRequiredFieldIsMissedByName() throws {
        for name in ["manifest", "name", "version", "kind", "description", "abi", "runtime"] {
            #expect(try refusal(name, to: .none) == "\(name): is missing")
        }
        #expect(try refusal("abi", "min", to: .none) == "abi.min: is missing")
        #expect(try refusal("runtime", "executable", to: .none) == "runtime.executable: is missing")
        #expect(try refusal("tools", "0", "inputSchema", to: .none) == "tools[0].inputSchema: is missing")
        #expect(try refusal("tools", "0", "description", to: .none) == "tools[0].description: is missing")
    }

    @Test func misspeltFieldsAreRefused() throws {
        #expect(try refusal("permisions", to: [:]).hasPrefix("permisions: unknown field; known here: $schema, abi, "))
        #expect(
            try refusal("runtime", "exec", to: "x")
                == "runtime.exec: unknown field; known here: arguments, executable, type")
        #expect(try refusal("tools", "0", "credential", to: ["key"]).hasPrefix("tools[0].credential: unknown field"))
    }

    @Test func anotherManifestVersionIsRefused() throws {
        #expect(try refusal("manifest", to: 2) == "manifest: must be an integer from 1 to 1, found 2")
        #expect(try refusal("manifest", to: "1") == "manifest: must be an integer from 1 to 1, found \"1\"")
    }

    @Test(arguments: ["../bin/x", "bin/../../x", "/bin/x", "bin//x", "./x", "bin/.", "bin/x/", "..", ".", "/"])
    func anExecutableOutsideThePluginIsRefused(_ path: String) throws {
        #expect(
            try refusal("runtime", "executable", to: .string(path))
                == "runtime.executable: \"\(path)\" must be a path inside the plugin's directory, without . or ..")
    }

    @Test(arguments: ["../\u{301}x", "bin/../../\u{301}x", "bin/..\u{2F}\u{338}x"])
    func dotDotHiddenBehindACombiningMarkIsRefused(_ path: String) throws {
        // A slash with a combining mark is one Character; the kernel still sees the slash, and the .. before it.
        #expect(try refusal("runtime", "executable", to: .string(path)).hasPrefix("runtime.executable: "))
    }

    @Test func anExecutableWithControlCharactersIsRefused() throws {
        for path in ["bin/a\u{0}b", "bin/a\nb", "bin/\u{1B}[2J", "bin/\u{202E}x"] {
            #expect(
                try refusal("runtime", "executable", to: .string(path))
                    == "runtime.executable: must not hold control or invisible formatting characters")
        }
    }

    @Test(arguments: [
        "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "01.2.3", "1.02.3", "1.2.3-", "1.2.3+", "1.2.3-a..b",
        "1.2.3-/../../x",
        "1.2.3+a+b", "1.2.3-é", "1.2.-3", " 1.2.3", "1.2.4294967296", "+1.2.3", "1.+2.3",
    ])
    func whatIsNoSemanticVersionIsRefused(_ version: String) throws {
        #expect(
            try refusal("version", to: .string(version))
                == "version: \"\(version)\" is not a semantic version such as 1.4.0")
    }

    @Test(arguments: ["0.0.0", "1.2.3-rc.1", "1.2.3+build.7", "1.2.3-rc-1.x+5-6", "10.20.30"])
    func semanticVersionsAreAccepted(_ version: String) throws {
        #expect(try refusal("version", to: .string(version)) == "accepted")
    }

    @Test func namesAreSafeInPathsLogsAndCommands() throws {
        for name in ["A", "1a", "-a", "_a", "a b", "a/b", "a.b", "é", "a\u{301}", "..", "a;b", "a$b", "\u{212A}elvin"] {
            for path in [["name"], ["tools", "0", "name"], ["permissions", "http.fetch", "0", "endpoint"]] {
                #expect(
                    try ManifestSamples.refusal(path, .string(name)).hasSuffix(
                        "\"\(name)\" is not a name: use a–z, 0–9, _ and -, starting with a letter"))
            }
        }
        #expect(try refusal("name", to: "") == "name: must have 1 to 64 characters, found 0")
        #expect(
            try refusal("name", to: .string(String(repeating: "a", count: 65)))
                == "name: must have 1 to 64 characters, found 65")
        #expect(try refusal("name", to: .string(String(repeating: "a", count: 64))) == "accepted")
    }

    @Test func unknownKindsAreRefusedWithTheKnownOnes() throws {
        #expect(
            try refusal("kind", to: "tools")
                == "kind: \"tools\" is not known; one of: tool, connector, authentication, reporting")
    }

    @Test func versionRangesRunUpwards() throws {
        #expect(try refusal("abi", to: ["min": 2, "max": 1]) == "abi.max: must be an integer from 2 to 1000, found 1")
        #expect(try refusal("abi", to: ["min": 0, "max": 1]) == "abi.min: must be an integer from 1 to 1000, found 0")
        #expect(try refusal("abi", "max", to: .number(JSONNumber(Int.max))).hasPrefix("abi.max: must be an integer"))
        #expect(try refusal("abi", to: 1) == "abi: must be an object, found integer")
    }

    @Test func aToolPluginHasToolsOfDifferentNames() throws {
        #expect(try refusal("tools", to: []) == "tools: a tool plugin declares at least one tool")
        #expect(try refusal("tools", to: .none) == "tools: a tool plugin declares at least one tool")
        let tool = try #require(try JSONValue(parsing: ManifestSamples.good)["tools"]?.arrayValue?.first)
        #expect(try refusal("tools", "1", to: tool) == "tools[1]: the tool \"price\" is declared twice")
        #expect(try refusal("tools", to: [:]) == "tools: must be an array, found object")
    }

    @Test func schemasOfToolsAreCheckedAtInstallation() throws {
        #expect(
            try refusal("tools", "0", "inputSchema", "properties", "symbol", "pattern", to: "^(a+)+$")
                == "tools[0].inputSchema.properties.symbol.pattern: "
                + "the JSON Schema keyword \"pattern\" is not supported"
        )
        #expect(
            try refusal("tools", "0", "outputSchema", "$ref", to: "#")
                == "tools[0].outputSchema.$ref: the JSON Schema keyword \"$ref\" is not supported")
        #expect(
            try refusal("tools", "0", "inputSchema", to: ["type": "string"])
                == "tools[0].inputSchema: the input schema of a tool has \"type\": \"object\"")
        #expect(
            try refusal("tools", "0", "inputSchema", to: true)
                == "tools[0].inputSchema: the input schema of a tool has \"type\": \"object\"")
        #expect(
            try refusal("tools", "0", "annotations", to: []) == "tools[0].annotations: must be an object, found array")
    }

    @Test func aToolGetsOnlyDeclaredCredentialsAndEachOnce() throws {
        #expect(
            try refusal("tools", "0", "credentials", to: ["other"])
                == "tools[0].credentials[0]: \"other\" is not declared under permissions.credentials")
        #expect(
            try refusal("tools", "0", "credentials", to: ["key", "shared", "key"])
                == "tools[0].credentials[2]: \"key\" is named twice")
    }

    @Test func moreCredentialsThanACallCarriesAreRefused() throws {
        let names = (0..<17).map { "k\($0)" }
        var manifest = try #require(try JSONValue(parsing: ManifestSamples.good).objectValue)
        manifest["permissions"] = [
            "credentials": .array(names.map { ["name": .string($0), "scope": "user", "reason": "r"] })
        ]
        var tool = try #require(manifest["tools"]?.arrayValue?.first?.objectValue)
        tool["credentials"] = JSONValue(names)
        manifest["tools"] = [.object(tool)]
        #expect(throws: ManifestError(field: "tools[0]", reason: "a call carries at most 16 credentials")) {
            try PluginManifest(parsing: JSONValue.object(manifest).encoded())
        }
    }
}
