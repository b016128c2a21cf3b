import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Programs that the tests drive. A missing one is a failure of the test, never a reason to skip it.
enum Programs {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private static func find(_ variable: String, _ name: String) throws -> String {
        let path = ProcessInfo.processInfo.environment[variable] ?? "\(root)/.build/debug/\(name)"
        guard access(path, X_OK) == 0 else {
            throw MissingProgram(description: "\(name) is not at \(path): build it, or set \(variable)")
        }
        return path
    }

    /// A folder that every user can read, with copies of both programs: a checkout may lie below a 0700 home.
    private static let folder: Result<String, any Error> = Result {
        var template = Array("/tmp/nexus-sandbox-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw MissingProgram(description: "no folder below /tmp") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(folder, 0o755)
        atexit {
            if case .success(let folder) = Programs.folder { try? FileManager.default.removeItem(atPath: folder) }
        }
        let programs = [
            ("NEXUS_JAIL", "nexus-jail"), ("NEXUS_HOSTILE", "hostile"),
            ("NEXUS_SANDBOX_PROBE", "nexus-sandbox-probe"), ("NEXUS_JAIL_WEAK", "nexus-jail-weak"),
        ]
        for (variable, name) in programs {
            let copy = "\(folder)/\(name)"
            try FileManager.default.copyItem(atPath: try find(variable, name), toPath: copy)
            chmod(copy, 0o755)
        }
        try writeOrdinary("\(folder)/ordinary-jail", for: "\(folder)/nexus-jail")
        return folder
    }

    private static func writeOrdinary(_ path: String, for program: String) throws {
        let script = "#!/bin/sh\nexec /usr/bin/setpriv \(ordinary.joined(separator: " ")) \(program) \"$@\"\n"
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o755)
    }

    /// nexus-jail with one layer left out and lied about (Tests/Fixtures/canary), and its twin for an ordinary user.
    static func weakJail(leavesOut layer: String, ordinary: Bool) throws -> String {
        let folder = try folder.get()
        let path = "\(folder)/weak-\(layer)"
        if access(path, X_OK) != 0 {
            try FileManager.default.copyItem(atPath: "\(folder)/nexus-jail-weak", toPath: path)
        }
        guard ordinary else { return path }
        try writeOrdinary("\(folder)/ordinary-weak-\(layer)", for: path)
        return "\(folder)/ordinary-weak-\(layer)"
    }

    static func source(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }
    static var fixtures: String { "\(root)/Tests/Fixtures/hostile" }
    /// The ordinary user's nexus-jail, below a filter that has a listener already.
    static var jailBelowAListener: String {
        get throws {
            let path = try folder.get() + "/jail-below-a-listener"
            let script = "#!/bin/sh\nexec /usr/bin/python3 \(fixtures)/under_listener.py \(try ordinaryJail) \"$@\"\n"
            try script.write(toFile: path, atomically: true, encoding: .utf8)
            chmod(path, 0o755)
            return path
        }
    }

    static let ordinary = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
    static var jail: String { get throws { try folder.get() + "/nexus-jail" } }
    static var ordinaryJail: String { get throws { try folder.get() + "/ordinary-jail" } }
    static var hostile: String { get throws { try folder.get() + "/hostile" } }
    static var probe: String { get throws { try folder.get() + "/nexus-sandbox-probe" } }
    static var probeBytes: [UInt8] { get throws { Array(try Data(contentsOf: URL(fileURLWithPath: try probe))) } }
    static var hostileBytes: [UInt8] {
        get throws { Array(try Data(contentsOf: URL(fileURLWithPath: try hostile))) }
    }
}

struct MissingProgram: Error, CustomStringConvertible { let description: String }

/// Who runs nexus-jail in a test. As root both are tried; an ordinary user can only be itself.
enum Person: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case root, ordinary

    static var available: [Person] { getuid() == 0 ? [.root, .ordinary] : [.ordinary] }
    private var changesUser: Bool { self == .ordinary && getuid() == 0 }
    var testDescription: String { rawValue }

    func weakHelper(leavesOut layer: String) throws -> String {
        try Programs.weakJail(leavesOut: layer, ordinary: changesUser)
    }

    var helper: String { get throws { changesUser ? try Programs.ordinaryJail : try Programs.jail } }
    /// An ordinary host of this machine could write in no cgroup; this process is root and could.
    var cgroups: CgroupPlacement { changesUser ? .none : .ofThisMachine() }

    func launcher(mountRoots: [String] = ["/usr"]) throws -> JailLauncher {
        return try JailLauncher.start(helper: helper, mountRoots: mountRoots, cgroups: cgroups)
    }

    /// Runs a command outside any jail, as this person, with a descriptor leaked on purpose.
    func outside(_ command: [String]) throws -> (output: String, status: Int32) {
        let user = changesUser ? ["/usr/bin/setpriv"] + Programs.ordinary : []
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "exec \"$@\" 9</etc/hostname", "sh"] + user + command
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle(forReadingAtPath: "/dev/null")
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        return (String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines), status)
    }
}

/// A pipe whose reading end collects what a jailed program prints.
struct Capture {
    let reading, writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    /// Closes the writing end and returns everything that was printed.
    func finish() -> String {
        close(writing)
        defer { close(reading) }
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(reading, &bytes, bytes.count)
            guard count > 0 else { break }
            all += bytes.prefix(count)
        }
        return String(decoding: all, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension JailLauncher {
    /// Runs the hostile program in a jail and returns what it printed and how it ended.
    func hostile(
        _ arguments: [String], profile: String = "strict", limits: JailLimits = .standard, channel: Int32? = nil
    ) async throws -> (output: String, exit: JailExit) {
        let executable = try SealedMemory.seal(Programs.hostileBytes, name: "hostile")
        defer { Glibc.close(executable) }
        let capture = try Capture()
        let policy = JailPolicy(
            name: "hostile", profile: profile, program: .sealed, arguments: ["hostile"] + arguments, limits: limits)
        let jail: Jail
        do {
            jail = try await spawn(
                policy,
                descriptors: JailDescriptors(
                    channel: channel, standardOutput: capture.writing, executable: executable))
        } catch {
            _ = capture.finish()
            throw error
        }
        let exit = await jail.exited()
        return (capture.finish(), exit)
    }

    /// A jail with a program that runs until it is told to stop.
    func idle(_ name: String = "idle", descriptors: JailDescriptors = JailDescriptors()) async throws -> Jail {
        try await spawn(SystemPolicy.program(["/usr/bin/sleep", "1000"], name: name), descriptors: descriptors)
    }
}

/// Policies for programs of the system.
enum SystemPolicy {
    static func program(_ command: [String], name: String = "system", profile: String = "compat") -> JailPolicy {
        JailPolicy(
            name: name, profile: profile, program: .path(command[0]), arguments: command,
            environment: ["PATH": "/usr/bin"], mounts: [JailMount(source: "/usr", destination: "/usr")],
            links: ["lib", "lib64", "bin"].map { JailLink(path: "/\($0)", target: "usr/\($0)") })
    }
}

/// Polls until something holds; false after `seconds`.
func eventually(within seconds: Double = 10, _ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}

/// Whether a process runs. A zombie that nobody has reaped does not: it has let go of everything.
func processExists(_ pid: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return false }
    return !status.contains("State:\tZ") && !status.contains("State:\tX")
}

/// A host in a process of its own, with one jail, that waits to be killed.
final class DoomedHost {
    let launcherID, initID: Int32
    private let process = Process()
    private let plan: String

    init(_ person: Person, command: [String]) throws {
        let id: UInt32 = person == .root ? 2_000_000_009 : getuid() == 0 ? 65534 : getuid()
        let host = JailHost(privileged: person == .root, outerUser: id, outerGroup: id)
        let compiled = try JailCompiler.compile(SystemPolicy.program(command), host: host, kernel: .forPlans())
        plan = "/tmp/nexus-plan-\(getpid())-\(person.rawValue)-\(UInt32.random(in: 0...UInt32.max))"
        try Data(compiled.bytes).write(to: URL(fileURLWithPath: plan))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let helper = person == .ordinary && getuid() == 0 ? try Programs.ordinaryJail : try Programs.jail
        process.arguments = ["\(Programs.fixtures)/doomed_host.py", helper, plan]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        let pids = line.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        try #require(pids.count == 2, "said: \(line)")
        (launcherID, initID) = (pids[0], pids[1])
    }

    func kill() { Glibc.kill(process.processIdentifier, SIGKILL) }

    deinit {
        kill()
        unlink(plan)
    }
}
