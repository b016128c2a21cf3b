internal import Glibc
internal import HostCore
internal import JSONBytes
internal import Registry
internal import Sandbox

/// Round trips through the host's session to the jailed plugin and back: one after the other and of 16 callers
/// together, on the poller's executor and on the cooperative pool, and answers of 1 MiB in one frame and in pieces.
struct Calls {
    let helper: String
    let bundle: PluginBundle

    static let callers = 16
    static let megabyte = 1 << 20
    /// 256 bytes.
    static let arguments = Array(#"{"text":"\#(String(repeating: "x", count: 245))"}"#.utf8)

    func run(_ rounds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let poller = try DescriptorPoller()
        let probe = try await SessionProbe.start(SessionProbe.Program(bundle), in: launcher, poller: poller)
        // A first call on the pool, so that its threads are there to be moved.
        _ = try await Self.echo(probe, 200)
        // Whoever started this program may now move its threads to another CPU; the plugin stays where it is.
        print("ready")
        fflush(nil)
        _ = readLine()
        var found = try await withTaskExecutorPreference(poller) { () async throws -> [(String, [Int])] in
            [
                ("call", try await Self.echo(probe, rounds)),
                ("throughput", [try await Self.together(probe, rounds)]),
                ("megabyte", try await Self.large("megabyte", probe, rounds / 10)),
                ("pieces", try await Self.large("pieces", probe, rounds / 10)),
            ]
        }
        found.append(("call from the pool", try await Self.echo(probe, rounds)))
        found.append(("throughput from the pool", [try await Self.together(probe, rounds)]))
        await probe.stop()
        return JSONObject(
            found.map { ($0.0, list($0.1)) } + [("calls", JSONValue(Self.perCaller(rounds) * Self.callers))])
    }

    private static func perCaller(_ rounds: Int) -> Int { rounds * 4 / callers }

    private static func echo(_ probe: SessionProbe, _ rounds: Int) async throws -> [Int] {
        var samples: [Int] = []
        samples.reserveCapacity(rounds)
        for round in -rounds / 10..<rounds {
            let start = nanoseconds()
            let answer = try await probe.call("echo", arguments)
            let time = nanoseconds() - start
            guard answer.json == arguments else { throw BenchFailure("the echo differs") }
            if round >= 0 { samples.append(time) }
        }
        return samples
    }

    private static func large(_ tool: String, _ probe: SessionProbe, _ rounds: Int) async throws -> [Int] {
        var samples: [Int] = []
        for round in -5..<rounds {
            let start = nanoseconds()
            let answer = try await probe.call(tool, arguments)
            let time = nanoseconds() - start
            guard answer.bytes.count == megabyte else { throw BenchFailure("\(answer.bytes.count) bytes of \(tool)") }
            if round >= 0 { samples.append(time) }
        }
        return samples
    }

    /// How long all of them took.
    private static func together(_ probe: SessionProbe, _ rounds: Int) async throws -> Int {
        let start = nanoseconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<callers {
                group.addTask { for _ in 0..<perCaller(rounds) { _ = try await probe.call("echo", arguments) } }
            }
            try await group.waitForAll()
        }
        return nanoseconds() - start
    }
}
