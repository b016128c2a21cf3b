// Measures the real Sandbox and HostCore code; Tests/Bench/run starts it, beside its peers. Prints one JSON object with
// every sample in nanoseconds.
internal import Glibc
internal import HostCore
internal import JSONBytes
internal import Registry
internal import Sandbox

/// nexus-bench calls HELPER PLUGIN ROUNDS, idle HELPER PLUGIN COUNT, storm HELPER PLUGIN SECONDS, soak HELPER PLUGIN
/// SECONDS, per-call HELPER PLUGIN SECONDS (and PLUGIN-per-call beside it), binding HELPER PLUGIN ROUNDS, decode
/// ROUNDS, secrets COUNT ROUNDS, or plugin ROUNDS COMMAND… [-- BARE…]
@main
struct NexusBench {
    static func main() async throws {
        let words = CommandLine.arguments
        if words.count == 3, words[1] == "decode", let rounds = Int(words[2]), rounds > 0 {
            return print(JSONValue.object(try Decoding().run(rounds)).text)
        }
        if words.count == 4, words[1] == "secrets", let count = Int(words[2]), let rounds = Int(words[3]) {
            return print(JSONValue.object(try await Secrets(count: count).run(rounds: rounds)).text)
        }
        if words.count >= 4, words[1] == "plugin", let rounds = Int(words[2]), rounds > 0 {
            let parts = words[3...].split(separator: "--", maxSplits: 1).map(Array.init)
            let starts = PluginStarts(command: parts[0], bare: parts.count > 1 ? parts[1] : [])
            return print(JSONValue.object(try starts.run(rounds)).text)
        }
        guard words.count == 5, let count = Int(words[4]), count > 0 else { throw BenchFailure("wrong usage") }
        let bundle = try PluginBundle.load(directory: words[3])
        let samples: JSONObject
        switch words[1] {
        case "calls": samples = try await Calls(helper: words[2], bundle: bundle).run(count)
        case "idle": samples = try await Idle(helper: words[2], bundle: bundle).run(count)
        case "storm": samples = try await Storm(helper: words[2], bundle: bundle).run(count)
        case "soak": samples = try await Soak(helper: words[2], bundle: bundle).run(count)
        case "binding": samples = try await Binding(helper: words[2], bundle: bundle).run(count)
        case "per-call":
            let bundles = [bundle, try PluginBundle.load(directory: words[3] + "-per-call")]
            samples = try await PerCall(helper: words[2], bundles: bundles).run(count)
        default: throw BenchFailure("wrong usage")
        }
        print(JSONValue.object(samples).text)
    }
}

struct BenchFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// CLOCK_MONOTONIC in nanoseconds.
func nanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

func list(_ samples: [Int]) -> JSONValue { .array(samples.map { JSONValue($0) }) }
