internal import Glibc
internal import JSONBytes
internal import Sandbox

/// From a request to the first frame on descriptor 3, against bubblewrap; one after the other in each round.
struct JailStarts {
    let helper: String
    /// The program's bytes, sealed once as a host does for a plugin version.
    let program: [UInt8]
    /// Its path; empty to leave it out.
    let bwrap: String
    /// Holds `true`, static, and the plugin's executable as `hello`.
    let folder: String

    func run(_ rounds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let sealed = try SealedMemory.seal(program, name: "hello")
        defer { close(sealed) }
        var samples: [String: [Int]] = [:]
        // The first rounds warm filters and page cache; they do not count.
        for round in -5..<rounds {
            var times = [
                ("jail-hello", try await jailStart(launcher, sealed: sealed)),
                ("jail-seal-hello", try await jailStart(launcher, sealed: nil)),
            ]
            if !bwrap.isEmpty {
                times.append(("bwrap-true", try await bwrapToExit()))
                times.append(("bwrap-hello", try await bwrapToHello()))
            }
            for (name, time) in times where round >= 0 { samples[name, default: []].append(time) }
        }
        return JSONObject(samples.sorted { $0.key < $1.key }.map { ($0.key, list($0.value)) })
    }

    /// Everything that the host does for a start is in the time: the plan, the request, the report; and the sealed copy
    /// of the program, unless there is one from an earlier start.
    private func jailStart(_ launcher: JailLauncher, sealed: Int32?) async throws -> Int {
        try await settle()
        let ends = try Channel.pair()
        defer { close(ends[0]) }
        let start = nanoseconds()
        let executable = try sealed ?? SealedMemory.seal(program, name: "hello")
        let jail: Jail
        do {
            defer {
                if sealed == nil { close(executable) }
                close(ends[1])
            }
            jail = try await launcher.spawn(
                JailPolicy(name: "bench", program: .sealed, arguments: ["hello"]),
                descriptors: JailDescriptors(channel: ends[1], executable: executable))
        }
        try Channel.awaitHello(ends[0])
        let time = nanoseconds() - start
        jail.kill()
        _ = await jail.exited()
        return time
    }

    /// What the kernel and the launcher do behind an ended or a started jail is nobody else's time.
    private func settle() async throws { try await Task.sleep(for: .milliseconds(15)) }

    private func bwrapToExit() async throws -> Int {
        try await settle()
        let start = nanoseconds()
        let process = try spawn(program: "true", channel: nil)
        var status: Int32 = 0
        guard waitpid(process, &status, 0) == process, status == 0 else {
            throw BenchFailure("bwrap could not run true: status \(status)")
        }
        return nanoseconds() - start
    }

    private func bwrapToHello() async throws -> Int {
        try await settle()
        let ends = try Channel.pair()
        defer { close(ends[0]) }
        let start = nanoseconds()
        let process = try spawn(program: "hello", channel: ends[1])
        close(ends[1])
        try Channel.awaitHello(ends[0])
        let time = nanoseconds() - start
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        return time
    }

    private func spawn(program: String, channel: Int32?) throws -> pid_t {
        let words = [
            bwrap, "--unshare-all", "--die-with-parent", "--ro-bind", "\(folder)/\(program)", "/\(program)",
            "/\(program)",
        ]
        return try Channel.spawn(words, channel: channel)
    }
}
