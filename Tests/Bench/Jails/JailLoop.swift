internal import Foundation
internal import JSONBytes
internal import Sandbox

/// Many jails, one after the other, and what is left of them afterwards.
struct JailLoop {
    let helper: String
    let program: [UInt8]

    /// `time`: of all of them, in nanoseconds; `left`: how many more there are of each kind of thing than before, when
    /// it has settled; `settled`: after how many nanoseconds that was, or 5 s.
    func run(_ count: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let sealed = try SealedMemory.seal(program, name: "hello")
        defer { close(sealed) }
        for _ in 0..<5 { try await start(launcher, sealed) }
        try await Task.sleep(for: .milliseconds(500))
        let before = Self.holdings(launcher.processID)
        let begin = nanoseconds()
        for _ in 0..<count { try await start(launcher, sealed) }
        let end = nanoseconds()
        var left = Self.difference(before, Self.holdings(launcher.processID))
        while !left.allSatisfy({ $0.value <= 0 }), nanoseconds() - end < 5_000_000_000 {
            try await Task.sleep(for: .milliseconds(20))
            left = Self.difference(before, Self.holdings(launcher.processID))
        }
        return JSONObject([
            ("jails", JSONValue(count)), ("time", JSONValue(end - begin)), ("settled", JSONValue(nanoseconds() - end)),
            ("left", .object(JSONObject(left.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) }))),
        ])
    }

    private func start(_ launcher: JailLauncher, _ sealed: Int32) async throws {
        let ends = try Channel.pair()
        defer { close(ends[0]) }
        let jail: Jail
        do {
            defer { close(ends[1]) }
            jail = try await launcher.spawn(
                JailPolicy(name: "loop", program: .sealed, arguments: ["hello"]),
                descriptors: JailDescriptors(channel: ends[1], executable: sealed))
        }
        try Channel.awaitHello(ends[0])
        jail.kill()
        _ = await jail.exited()
    }

    /// Counts what a jail might leave with this process, with the launcher, or on the machine (proc(5)). Network
    /// namespaces that the launcher has ready come and go by themselves: those are no more than eight.
    private static func holdings(_ launcher: Int32) -> [String: Int] {
        let children = contents("/proc/\(launcher)/task/\(launcher)/children").split(separator: " ").count
        let kept = links("/proc/\(launcher)/fd")
        return [
            "processes": children,
            "mounts": contents("/proc/self/mountinfo").split(separator: "\n").count,
            "descriptors of the host": links("/proc/self/fd").count,
            "descriptors of the launcher": kept.filter { !$0.hasPrefix("net:") }.count,
            "namespaces": namespaces(below: launcher).count,
        ]
    }

    private static func difference(_ before: [String: Int], _ after: [String: Int]) -> [String: Int] {
        after.merging(before) { $0 - $1 }
    }

    /// Every namespace that a process below the launcher is in, beside the launcher's own.
    private static func namespaces(below launcher: Int32) -> Set<String> {
        var found: Set<String> = []
        for child in contents("/proc/\(launcher)/task/\(launcher)/children").split(separator: " ") {
            found.formUnion(links("/proc/\(child)/ns"))
        }
        return found.subtracting(links("/proc/\(launcher)/ns"))
    }

    private static func contents(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    private static func links(_ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
    }
}
