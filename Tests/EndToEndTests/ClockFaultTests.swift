import Foundation
import JSONBytes
import Testing

/// A nexusd whose wall clock a test sets while it runs: Tests/Fixtures/clock/clock.c stands before the C library. The
/// monotonic clock stays, as the kernel's does. Plugins have an environment of their own and see the machine's time.
private final class SettableClock {
    private let folder = "/tmp/nexus-e2e-clock-\(UUID().uuidString.prefix(8))"
    let environment: [String: String]

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (library, offset) = ("\(folder)/clock.so", "\(folder)/offset")
        let built = try Program.run([
            "/usr/bin/gcc", "-shared", "-fPIC", "-O1", "-o", library, "\(Built.root)/Tests/Fixtures/clock/clock.c",
        ])
        guard built.status == 0 else { throw Failure("clock.c: \(built)") }
        environment = ["LD_PRELOAD": library, "CLOCK_OFFSET": offset]
        try Data(count: 8).write(to: URL(fileURLWithPath: offset))
        _ = try Program.run(["/bin/chmod", "-R", "a+rX", folder])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Seconds before or after the machine's time.
    func set(to seconds: Int) throws {
        let file = open("\(folder)/offset", O_WRONLY)
        defer { close(file) }
        var value = Int64(seconds)
        guard pwrite(file, &value, 8, 0) == 8 else { throw Failure("\(folder)/offset: errno \(errno)") }
    }
}

/// The wall clock is set by an hour, forward and back, while calls run.
@Suite(.serialized) struct ClockFaultTests {
    private func instance(_ host: TestHost) throws -> String? { try host.state(of: "echo")["instance"]?.stringValue }

    @Test(arguments: [3_600, -3_600])
    func aClockThatIsSetEndsNoCallStopsNoPluginAndDelaysNoStart(seconds: Int) throws {
        let clock = try SettableClock()
        let host = try TestHost(environment: clock.environment)
        try host.install("echo")
        try host.nexus("plugin", "start", "echo")
        let first = try instance(host)
        // One call runs, one waits for it.
        let running = try host.begin("sleep", #"{"ms":3000}"#)
        #expect(eventually { (try? host.audit().contains { $0["tool"]?.stringValue == "sleep" }) == true })
        let waiting = try host.begin("echo", #"{"n":1}"#)
        usleep(500_000)
        try clock.set(to: seconds)
        #expect(try running.finish(seconds: 20).output == "{\"slept\":3000}\n")
        #expect(try waiting.finish(seconds: 20).output == "{\"n\":1}\n")
        let outcomes = try host.audit().filter { $0["kind"]?.stringValue == "outcome" }
        #expect(outcomes.allSatisfy { (0..<20_000).contains($0["milliseconds"]?.intValue ?? -1) }, "\(outcomes)")

        // Longer than a ping may stay unanswered, and far less than the time after which an idle process goes.
        usleep(13_000_000)
        #expect(try instance(host) == first, "it was neither stopped as idle nor taken for dead")

        // A wait before a start is what it was.
        for _ in 0..<2 {
            let before = try instance(host)
            for process in Set(try host.descendants()).subtracting(try host.jailProcesses()) { kill(process, SIGKILL) }
            try clock.set(to: 2 * seconds)
            let isBack = eventually {
                guard let now = (try? host.state(of: "echo"))?["instance"]?.stringValue else { return false }
                return now != before
            }
            #expect(isBack)
            try clock.set(to: seconds)
        }
        #expect(eventually { (try? host.call("echo", #"{"n":2}"#).output) == "{\"n\":2}\n" })

        // The log keeps its order by number whatever its times say, and a start finds it whole.
        let entries = try host.audit()
        #expect(entries.compactMap { $0["seq"]?.intValue } == Array(1...entries.count))
        let times = entries.compactMap { $0["time"]?.stringValue?.prefix(16) }
        #expect(times != times.sorted(), "the clock was set back, as the entries' times show")
        try host.nexus("down")
        try host.up()
        #expect(try host.call("echo", #"{"n":3}"#).output == "{\"n\":3}\n")
    }

    @Test func aTokenLivesByTheWallClock() throws {
        let clock = try SettableClock()
        let host = try TestHost(environment: clock.environment)
        let token = try String(
            contentsOfFile: host.tokenFile(user: "agent", "--expires", "1d"), encoding: .utf8)
        func status() throws -> Int { try RawHTTP.mcp(port: host.port, token: token, body: RawHTTP.initialize).status }
        #expect(try status() == 200)
        try clock.set(to: 90_000)
        #expect(try status() == 401)
        try clock.set(to: -90_000)
        #expect(try status() == 200)
    }
}
