import Glibc
import JSONBytes
import PluginABI
import Synchronization
import Testing

/// Hostile depth on a thread with little stack: a plugin's session may run anywhere.
@Suite struct SmallStackTests {
    private static let stackBytes = 256 << 10

    @Test func theDeepestDocumentIsReadWrittenAndCompared() throws {
        let depth = JSONLimits.standard.depth
        for (open, leaf, close) in [("[", "1", "]"), (#"{"a":"#, "1", "}"), (#"{"":"#, #""\u00e9""#, "}")] {
            let text = String(repeating: open, count: depth) + leaf + String(repeating: close, count: depth)
            try onSmallStack {
                let value = try? JSONValue(parsing: text)
                return value.map {
                    (try? JSONValue(parsing: $0.encoded())) == $0 && !$0.text.isEmpty && $0.hashValue == $0.hashValue
                }
                    ?? false
            }
        }
    }

    @Test func aNestingBombIsRefused() throws {
        for opening in ["[", #"{"a":"#, #"[{"a":"#] {
            let bomb = Array(String(repeating: opening, count: 200_000).utf8)
            try onSmallStack { (try? JSONValue(parsing: bomb)) == nil }
        }
    }

    @Test func theDeepestArgumentsPassThroughAFrame() throws {
        let depth = JSONLimits.standard.depth
        let text = String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        let frame = Message.call(Message.Call(tool: "t", arguments: Array(text.utf8), deadline: 1, requestID: "r"))
            .frame(stream: 1)
        let bytes = frame.encoded()
        try onSmallStack {
            var decoder = FrameDecoder()
            decoder.append(bytes)
            guard let frame = try? decoder.next() else { return false }
            return (try? Message(frame)) != nil
        }
    }

    @Test func theDeepestSchemaIsCheckedAndHeld() throws {
        for wrap in [#"{"items":"#, #"{"not":"#, #"{"allOf":["#, #"{"properties":{"a":"#, #"{"anyOf":["#] {
            let closing = wrap.filter { "{[".contains($0) }.reversed().map { $0 == "{" ? "}" : "]" }.joined()
            let schema = String(repeating: wrap, count: 16) + "true" + String(repeating: closing, count: 16)
            let bomb = String(repeating: wrap, count: 25) + "true" + String(repeating: closing, count: 25)
            let value = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
            try onSmallStack {
                guard let schema = try? JSONSchema(JSONValue(parsing: schema)),
                    let value = try? JSONValue(parsing: value)
                else { return false }
                _ = schema.violations(in: value)
                guard let bomb = try? JSONValue(parsing: bomb) else { return false }
                return (try? JSONSchema(bomb)) == nil
            }
        }
    }

    @Test func theDeepestManifestIsRefusedOrRead() throws {
        let bomb = Array(
            (#"{"tools":"# + String(repeating: "[", count: 31) + String(repeating: "]", count: 31) + "}").utf8)
        try onSmallStack { (try? PluginManifest(parsing: bomb)) == nil }
    }

    /// Runs `body` on a thread of its own; an overflow would end the process.
    private func onSmallStack(_ body: @escaping @Sendable () -> Bool) throws {
        final class Job: Sendable {
            let body: @Sendable () -> Bool
            let isGood = Mutex(false)
            init(_ body: @escaping @Sendable () -> Bool) { self.body = body }
        }
        let job = Job(body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        try #require(pthread_attr_setstacksize(&attributes, Self.stackBytes) == 0)
        var thread = pthread_t()
        let started = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
                let isGood = job.body()
                job.isGood.withLock { $0 = isGood }
                return nil
            }, Unmanaged.passRetained(job).toOpaque())
        try #require(started == 0)
        pthread_join(thread, nil)
        #expect(job.isGood.withLock { $0 })
    }
}
