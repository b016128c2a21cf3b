import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct KeyValueServiceTests {
    let folder: TestHome
    let service: KeyValueService
    let context: CallContext

    init() throws {
        folder = try TestHome()
        try folder.catalog().install(try SamplePlugin.bundle())
        service = KeyValueService(store: KeyValueStore(database: try folder.database()))
        var context = try SamplePlugin.context()
        let text = String(decoding: SamplePlugin.manifest(), as: UTF8.self)
            .replacing(#""http.fetch""#, with: #""kv":{"megabytes":1,"reason":"r"},"http.fetch""#)
        context.plugin.manifest = try PluginManifest(parsing: Array(text.utf8))
        self.context = context
    }

    private func ask(_ service: String, _ json: JSONValue, _ bytes: [UInt8] = []) async throws -> Message.Payload {
        try await self.service.perform(
            Message.HostCall(service: service, parent: 1, content: Message.Payload(json, bytes: bytes)), in: context)
    }

    private func refusal(_ service: String, _ json: JSONValue, _ bytes: [UInt8] = []) async -> ABIError? {
        do {
            _ = try await ask(service, json, bytes)
            return nil
        } catch {
            return error as? ABIError
        }
    }

    @Test func valuesAreKeptReadListedAndDeleted() async throws {
        #expect(try await ask("kv.get", ["key": "a"]) == Message.Payload(["found": false]))
        #expect(try await ask("kv.put", ["key": "a"], [0, 255]) == Message.Payload([:]))
        #expect(try await ask("kv.put", ["key": "b"]) == Message.Payload([:]))
        #expect(try await ask("kv.get", ["key": "a"]) == Message.Payload(["found": true], bytes: [0, 255]))
        #expect(try await ask("kv.list", [:]) == Message.Payload(["keys": ["a", "b"], "more": false]))
        let page = try await ask("kv.list", ["prefix": "", "limit": 1, "after": ""])
        #expect(page == Message.Payload(["keys": ["a"], "more": true]))
        #expect(try await ask("kv.delete", ["key": "a"]) == Message.Payload(["existed": true]))
        #expect(try await ask("kv.delete", ["key": "a"]) == Message.Payload(["existed": false]))
    }

    @Test func fullStoreIsUnavailableAndNoRetryHelps() async throws {
        let half = [UInt8](repeating: 1, count: 600_000)
        _ = try await ask("kv.put", ["key": "a"], half)
        let error = await refusal("kv.put", ["key": "b"], half)
        #expect(
            error
                == ABIError(
                    .unavailable, "kv.put: the values would be over permissions.kv of 1 MiB; delete some"))
        let call = Message.HostCall(service: "kv.put", parent: 1, content: Message.Payload([:]))
        #expect(!service.isRetryable(ABIError(.unavailable, "x"), of: call))
    }

    @Test func requestsOfAnotherShapeAreRefusedByName() async {
        let long = JSONValue.string(String(repeating: "k", count: HostLimits.keyBytes + 1))
        let cases: [(String, JSONValue, String)] = [
            ("kv.get", [:], "kv.get: key is needed, a string of 1 to 256 bytes"),
            ("kv.get", ["key": ""], "kv.get: key is needed, a string of 1 to 256 bytes"),
            ("kv.get", ["key": 1], "kv.get: key must be a string of at most 256 bytes"),
            ("kv.delete", ["key": long], "kv.delete: key must be a string of at most 256 bytes"),
            ("kv.get", ["key": "a", "of": "other"], "kv.get: of: unknown; known: key"),
            ("kv.list", ["limit": 0], "kv.list: limit must be an integer from 1 to 1000"),
            ("kv.list", ["limit": 1_001], "kv.list: limit must be an integer from 1 to 1000"),
            ("kv.list", ["prefix": []], "kv.list: prefix must be a string of at most 256 bytes"),
            ("kv.list", [], "kv.list: the arguments are not a JSON object"),
        ]
        for (service, json, message) in cases {
            #expect(await refusal(service, json) == ABIError(.invalidArguments, message), "\(service) \(json.text)")
        }
        let large = [UInt8](repeating: 1, count: HostLimits.valueBytes + 1)
        #expect(
            await refusal("kv.put", ["key": "a"], large)
                == ABIError(.invalidArguments, "kv.put: the value has 1048577 bytes; the limit is 1048576"))
    }
}
