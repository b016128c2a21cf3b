internal import Glibc
internal import HostCore
internal import JSONBytes
internal import Registry
internal import Sandbox

/// Round trips of 256 bytes: the host's session, the jailed echo plugin, and back.
struct Calls {
    let helper: String
    let bundle: PluginBundle
    /// Where the host's threads go once the plugin runs; the plugin stays where this program was started.
    let hostProcessor: Int?

    func run(_ rounds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let probe = try await SessionProbe.start(bundle, in: launcher, poller: try DescriptorPoller())
        if let hostProcessor { try Self.move(to: hostProcessor) }
        let arguments = Array(#"{"text":"\#(String(repeating: "x", count: 245))"}"#.utf8)
        var samples: [Int] = []
        samples.reserveCapacity(rounds)
        for round in -200..<rounds {
            let start = nanoseconds()
            let answer = try await probe.call("echo", arguments)
            let time = nanoseconds() - start
            guard answer == arguments else { throw BenchFailure("the echo differs") }
            if round >= 0 { samples.append(time) }
        }
        await probe.stop()
        return JSONObject([("call", list(samples)), ("bytes", JSONValue(arguments.count))])
    }

    /// Every thread of this process; threads that begin later inherit it.
    private static func move(to processor: Int) throws {
        guard let folder = opendir("/proc/self/task") else { throw BenchFailure("no /proc/self/task") }
        defer { closedir(folder) }
        var set = cpu_set_t()
        withUnsafeMutableBytes(of: &set) { $0[processor / 8] |= 1 << UInt8(processor % 8) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let thread = pid_t(name) else { continue }
            guard sched_setaffinity(thread, MemoryLayout<cpu_set_t>.size, &set) == 0 else {
                throw BenchFailure("sched_setaffinity failed: errno \(errno)")
            }
        }
    }
}
