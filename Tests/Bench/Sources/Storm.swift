internal import Foundation
internal import HostCore
internal import JSONBytes
internal import Registry
internal import Sandbox

/// One plugin is killed (SIGKILL) every 100 ms and started again while 20 others serve calls: what the others notice.
struct Storm {
    let helper: String
    let bundle: PluginBundle

    static let others = 20
    static let pause = Duration.milliseconds(10)

    /// First so many seconds of quiet, then as many with the storm.
    func run(_ seconds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let poller = try DescriptorPoller()
        let program = try SessionProbe.Program(bundle)
        var probes: [SessionProbe] = []
        for _ in 0..<Self.others { probes.append(try await SessionProbe.start(program, in: launcher, poller: poller)) }
        _ = try await load(probes, seconds: 1)
        let quiet = try await load(probes, seconds: seconds)
        async let kills = storm(program, launcher, poller, until: nanoseconds() + seconds * 1_000_000_000)
        let stormy = try await load(probes, seconds: seconds)
        return JSONObject([
            ("quiet", list(quiet.samples)), ("storm", list(stormy.samples)),
            ("errors", JSONValue(quiet.errors + stormy.errors)), ("kills", JSONValue(try await kills)),
        ])
    }

    /// Each plugin has a caller of its own, which pauses between calls.
    private func load(_ probes: [SessionProbe], seconds: Int) async throws -> (samples: [Int], errors: Int) {
        let end = nanoseconds() + seconds * 1_000_000_000
        return await withTaskGroup(of: (samples: [Int], errors: Int).self) { group in
            for probe in probes {
                group.addTask {
                    var (samples, errors): ([Int], Int) = ([], 0)
                    while nanoseconds() < end {
                        let start = nanoseconds()
                        if (try? await probe.call("echo", Calls.arguments))?.json == Calls.arguments {
                            samples.append(nanoseconds() - start)
                        } else {
                            errors += 1
                        }
                        try? await Task.sleep(for: Self.pause)
                    }
                    return (samples, errors)
                }
            }
            return await group.reduce(into: ([], 0)) { all, one in
                all.samples += one.samples
                all.errors += one.errors
            }
        }
    }

    /// - Returns: how often a running plugin was killed.
    private func storm(
        _ program: SessionProbe.Program, _ launcher: JailLauncher, _ poller: DescriptorPoller,
        until end: Int
    ) async throws -> Int {
        var kills = 0
        while nanoseconds() < end {
            let next = nanoseconds() + 100_000_000
            let victim = try await SessionProbe.start(program, in: launcher, poller: poller)
            // Init's only child is the plugin.
            let path = "/proc/\(victim.processID)/task/\(victim.processID)/children"
            let children = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
            guard let child = children.first.flatMap({ pid_t($0) }) else { throw BenchFailure("no plugin to kill") }
            try await Task.sleep(for: .nanoseconds(max(next - nanoseconds(), 0)))
            guard kill(child, SIGKILL) == 0 else { throw BenchFailure("kill(2) failed: errno \(errno)") }
            guard (try? await victim.call("echo", Calls.arguments)) == nil else {
                throw BenchFailure("a plugin that was killed answers")
            }
            kills += 1
        }
        return kills
    }
}
