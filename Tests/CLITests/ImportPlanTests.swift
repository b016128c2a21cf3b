import Testing

@testable import nexus

@Suite struct ImportPlanTests {
    private let declared = ["crypto-bot": ["api_key", "api_secret"], "mail": ["key", "api_key"]]

    private func entry(_ name: String, _ value: String = "v", server: String? = nil) -> ImportEntry {
        ImportEntry(name: name, place: "line 1", server: server, value: Array(value.utf8))
    }

    private func moves(
        _ entries: [ImportEntry], plugin: String? = "crypto-bot", maps: [(name: String, ImportTarget)] = []
    ) throws -> [String] {
        try ImportPlan(entries, declared: declared, plugin: plugin, maps: maps).moves.map {
            "\($0.entry.name)=\($0.target.description)"
        }
    }

    @Test(arguments: [
        ("api_key", "api_key"), ("API_KEY", "api_key"), ("Api-Key", "api_key"), ("CRYPTO_BOT_API_SECRET", "api_secret"),
        ("BINANCE_API_KEY", "api_key"), ("MY.API.KEY", "api_key"), ("API_KEY_ID", nil), ("APIKEY", nil), ("KEY", nil),
        ("XAPI_KEY", nil),
    ])
    func aVariableIsTheCredentialThatItIsCalledLike(name: String, credential: String?) throws {
        #expect(try moves([entry(name)]) == (credential.map { ["\(name)=crypto-bot/\($0)"] } ?? []))
    }

    @Test func theLongerNameWins() throws {
        #expect(try moves([entry("MY_API_KEY")], plugin: "mail") == ["MY_API_KEY=mail/api_key"])
        #expect(try moves([entry("MY_KEY")], plugin: "mail") == ["MY_KEY=mail/key"])
    }

    @Test func aServersVariablesAreThePluginsOfItsName() throws {
        let entries = [entry("API_KEY", server: "crypto-bot"), entry("API_KEY", server: "other")]
        #expect(try moves(entries, plugin: nil) == ["API_KEY=crypto-bot/api_key"])
    }

    @Test func twoValuesOfOneCredentialStopAllOfIt() throws {
        let entries = [entry("A_API_KEY", "one"), entry("B_API_KEY", "two")]
        let error = #expect(throws: CommandFailure.self) { try moves(entries) }
        #expect(error?.message.contains("A_API_KEY") == true && error?.message.contains("--map") == true)
        #expect(error?.message.contains("one") == false && error?.exitCode == 65)
        #expect(try moves([entry("A_API_KEY"), entry("B_API_KEY")]).count == 1, "the same value twice is one")
    }

    @Test func whatIsSaidCountsMoreThanWhatIsGuessed() throws {
        let target = ImportTarget(plugin: "crypto-bot", name: "api_key")
        let entries = [entry("API_KEY", "guess"), entry("TOKEN", "said")]
        let error = #expect(throws: CommandFailure.self) {
            try moves([entry("API_KEY", "a"), entry("B_API_KEY", "b")], maps: [])
        }
        #expect(error != nil)
        let plan = try ImportPlan(entries, declared: declared, plugin: "crypto-bot", maps: [("TOKEN", target)])
        #expect(plan.moves.map(\.entry.name) == ["TOKEN"] && plan.left.map(\.name) == ["API_KEY"])
    }

    @Test func aMappingThatFitsNothingIsRefused() {
        let known = ImportTarget(plugin: "crypto-bot", name: "api_key")
        #expect(throws: CommandFailure.self) { try moves([entry("A")], maps: [("B", known)]) }
        let unknown = ImportTarget(plugin: "crypto-bot", name: "other")
        #expect(throws: CommandFailure.self) { try moves([entry("A")], maps: [("A", unknown)]) }
    }

    @Test func theEnvOfEveryServerIsReadAndReferencesAreNot() throws {
        let text = #"""
            {"mcpServers": {"one": {"command": "x", "env": {"K": "v", "R": "${input:k}", "E": "", "N": 7}},
                            "two": {"url": "https://example.org"}, "three": {"env": {"K": "w"}}}}
            """#
        let (entries, bad) = try MCPConfigFile.read(Array(text.utf8), server: nil)
        #expect(entries.map(\.place) == ["server one", "server three"] && entries.map(\.name) == ["K", "K"])
        #expect(bad == ["R (server one)", "E (server one)", "N (server one)"])
        #expect(try MCPConfigFile.read(Array(text.utf8), server: "three").entries.count == 1)
        for (bytes, server) in [(text, "none"), ("{}", nil), ("{ nonsense canary", nil), ("[]", nil)]
            as [(String, String?)]
        {
            let error = #expect(throws: CommandFailure.self) {
                try MCPConfigFile.read(Array(bytes.utf8), server: server)
            }
            #expect(error?.message.contains("canary") == false)
        }
    }
}
