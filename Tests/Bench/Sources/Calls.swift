internal import Glibc
internal import HostCore
internal import JSONBytes
internal import Registry
internal import Sandbox

/// Round trips of 256 bytes: the host's session, the jailed echo plugin, and back.
struct Calls {
    let helper: String
    let bundle: PluginBundle

    func run(_ rounds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let probe = try await SessionProbe.start(bundle, in: launcher, poller: try DescriptorPoller())
        // Whoever started this program may now move its threads to another CPU; the plugin stays where it is.
        print("ready")
        fflush(nil)
        _ = readLine()
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
}
