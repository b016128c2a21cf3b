internal import Foundation
internal import HostCore
internal import JSONBytes
internal import Registry
internal import Sandbox

/// Calls for minutes at half of what is possible; every second the host's resident memory and descriptors.
struct Soak {
    let helper: String
    let bundle: PluginBundle

    /// Calls of each burst; between bursts it rests as long as the burst took.
    static let burst = 64

    func run(_ seconds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let poller = try DescriptorPoller()
        let probe = try await SessionProbe.start(SessionProbe.Program(bundle), in: launcher, poller: poller)
        var (calls, memory, descriptors) = (0, [Int](), [Int]())
        let begin = nanoseconds()
        var next = begin + 1_000_000_000
        while nanoseconds() - begin < seconds * 1_000_000_000 {
            let start = nanoseconds()
            try await withTaskExecutorPreference(poller) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<Calls.callers {
                        group.addTask {
                            for _ in 0..<Self.burst / Calls.callers {
                                _ = try await probe.call("echo", Calls.arguments)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            calls += Self.burst
            try await Task.sleep(for: .nanoseconds(nanoseconds() - start))
            guard nanoseconds() >= next else { continue }
            next += 1_000_000_000
            memory.append(try Self.residentBytes())
            descriptors.append(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count)
        }
        await probe.stop()
        return JSONObject([("calls", JSONValue(calls)), ("memory", list(memory)), ("descriptors", list(descriptors))])
    }

    /// The second number of /proc/self/statm, in pages of 4 KiB (proc(5)).
    private static func residentBytes() throws -> Int {
        let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { throw BenchFailure("/proc/self/statm cannot be read") }
        return pages << 12
    }
}
