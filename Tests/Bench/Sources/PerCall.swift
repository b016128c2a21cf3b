internal import Foundation
internal import HostCore
internal import JSONBytes
internal import PluginABI
internal import Registry
internal import Sandbox

/// What a process of its own adds to each call: 100 calls a second through the supervisor to a plugin that all callers
/// share, and as many to the same program with the isolation `per-call`, in turns. A call begins when it is due,
/// whatever the one before is doing: a slow one holds nobody back, and nothing late goes unseen.
struct PerCall {
    let helper: String
    /// With the isolations `shared` and `per-call`.
    let bundles: [PluginBundle]

    static let callsPerSecond = 100
    /// Of each turn.
    static let blockSeconds = 1

    /// - Parameter seconds: of load for each of the two.
    func run(_ seconds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let poller = try DescriptorPoller()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nexus-bench-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var probes: [(name: String, probe: SupervisorProbe)] = []
        for bundle in bundles {
            let home = "\(folder)/\(bundle.manifest.isolation)"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            let probe = try SupervisorProbe(bundle, folder: home, in: launcher, poller: poller)
            probes.append((bundle.manifest.isolation.rawValue, probe))
        }
        var samples: [String: [Int]] = [:]
        for turn in -1..<max(1, seconds / Self.blockSeconds) {
            for (name, probe) in probes {
                _ = try await Self.echo(probe)
                try await Self.settle(probe)
                let block = try await Self.load(probe)
                if turn >= 0 { samples[name, default: []] += block }
            }
        }
        for (_, probe) in probes { try await probe.stop() }
        return JSONObject(samples.sorted { $0.key < $1.key }.map { ($0.key, list($0.value)) })
    }

    /// Until the processes that are kept ready are there, and those that have served their call are gone.
    private static func settle(_ probe: SupervisorProbe) async throws {
        for _ in 0..<100 where await probe.ready == 0 { try await Task.sleep(for: .milliseconds(20)) }
        try await Task.sleep(for: .milliseconds(200))
    }

    private static func load(_ probe: SupervisorProbe) async throws -> [Int] {
        let begin = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<callsPerSecond * blockSeconds {
                try await Task.sleep(until: begin + .seconds(1) / callsPerSecond * number, clock: .continuous)
                group.addTask { try await echo(probe) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func echo(_ probe: SupervisorProbe) async throws -> Int {
        let start = nanoseconds()
        let answer = try await probe.call("echo", Calls.arguments)
        let time = nanoseconds() - start
        guard answer.json == Calls.arguments else { throw BenchFailure("the echo differs") }
        return time
    }
}
