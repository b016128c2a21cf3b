// Measures nexus-jail alone, without the host around it; Tests/Bench/run starts it, beside its peers. Prints one JSON
// object with every sample in nanoseconds.
internal import Glibc
internal import JSONBytes
internal import Sandbox

/// nexus-bench-jail starts HELPER PROGRAM ROUNDS BWRAP FOLDER, or nexus-bench-jail waiting|loop HELPER PROGRAM ROUNDS,
/// or nexus-bench-jail filter PROFILE, which prints the filter's bytes in hexadecimal and measures nothing.
@main
struct JailBench {
    static func main() async throws {
        let words = CommandLine.arguments
        if words.count == 3, words[1] == "filter" {
            let bytes = try ProfileFilter.bytes(of: words[2])
            print(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
            return
        }
        guard words.count >= 5, let rounds = Int(words[4]), rounds > 0 else { throw BenchFailure("wrong usage") }
        let (helper, program) = (words[2], try contents(words[3]))
        let samples: JSONObject
        switch words[1] {
        case "starts" where words.count == 7:
            let starts = JailStarts(helper: helper, program: program, bwrap: words[5], folder: words[6])
            samples = try await starts.run(rounds)
        case "waiting" where words.count == 5:
            samples = try await WaitingStarts(helper: helper, program: program, path: words[3]).run(rounds)
        case "loop" where words.count == 5:
            samples = try await JailLoop(helper: helper, program: program).run(rounds)
        default: throw BenchFailure("wrong usage")
        }
        print(JSONValue.object(samples).text)
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw BenchFailure("\(path) cannot be read: errno \(errno)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
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
