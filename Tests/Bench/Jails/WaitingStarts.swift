internal import Glibc
internal import JSONBytes
internal import Sandbox

/// From "go" to the first frame of a program whose jail waits before exec, against posix_spawn(3) of the same file
/// without any jail; one after the other in each round.
struct WaitingStarts {
    let helper: String
    let program: [UInt8]
    let path: String

    func run(_ rounds: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let sealed = try SealedMemory.seal(program, name: "hello")
        defer { close(sealed) }
        var (waiting, spawned): ([Int], [Int]) = ([], [])
        for round in -5..<rounds {
            let a = try await fromWaiting(launcher, sealed)
            let b = try await fromSpawn()
            guard round >= 0 else { continue }
            waiting.append(a)
            spawned.append(b)
        }
        return JSONObject([("waiting-hello", list(waiting)), ("spawn-hello", list(spawned))])
    }

    private func fromWaiting(_ launcher: JailLauncher, _ sealed: Int32) async throws -> Int {
        let ends = try Channel.pair()
        defer { close(ends[0]) }
        let prepared: WaitingJail
        do {
            defer { close(ends[1]) }
            prepared = try await launcher.prepare(
                JailPolicy(name: "bench", program: .sealed, arguments: ["hello"]),
                descriptors: JailDescriptors(channel: ends[1], executable: sealed))
        }
        try await Task.sleep(for: .milliseconds(15))
        let start = nanoseconds()
        let jail = try await prepared.start()
        try Channel.awaitHello(ends[0])
        let time = nanoseconds() - start
        jail.kill()
        _ = await jail.exited()
        return time
    }

    private func fromSpawn() async throws -> Int {
        try await Task.sleep(for: .milliseconds(15))
        let ends = try Channel.pair()
        defer { close(ends[0]) }
        let start = nanoseconds()
        let process = try Channel.spawn([path], channel: ends[1])
        close(ends[1])
        try Channel.awaitHello(ends[0])
        let time = nanoseconds() - start
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        return time
    }
}
