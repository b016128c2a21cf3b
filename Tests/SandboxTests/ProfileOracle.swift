import Foundation
import JSONBytes
import Testing

@testable import Sandbox

/// What the profiles' JSON says about a call, read and decided here once more and in another way: line by line, by
/// name, without sets, numbers or BPF.
struct ProfileOracle {
    private struct Line {
        var argument: Int?
        var once: Bool
        var mask: UInt64
        var values: [UInt64]

        /// The line's second condition.
        var also: [Line] = []

        init(_ line: JSONValue) {
            argument = line["argument"]?.intValue
            once = line["once"]?.boolValue == true
            mask = UInt64(line["mask"]?.intValue ?? 0xFFFF_FFFF)
            values = (line["values"]?.objectValue?.members ?? []).compactMap { $0.value.intValue }.map { UInt64($0) }
            also = line["and"].map { [Line($0)] } ?? []
        }

        func holds(_ arguments: [UInt64]) -> Bool {
            guard let argument else { return true }
            return values.contains(arguments[argument] % (1 << 32) & mask) && also.allSatisfy { $0.holds(arguments) }
        }
    }
    let profile: String
    private var allowed: [String: [Line]] = [:]
    private var denied: Set<String> = []

    init(_ profile: String) throws {
        self.profile = profile
        let all = try Self.file("profiles")["profiles"]?.arrayValue ?? []
        let entry = try #require(all.first { $0["name"]?.stringValue == profile })
        for set in try #require(entry["sets"]?.arrayValue) {
            for line in try Self.lines(#require(set.stringValue)) {
                allowed[try #require(line["syscall"]?.stringValue), default: []].append(
                    Line(line))
            }
        }
        denied = Set(try Self.lines("denied").compactMap { $0["syscall"]?.stringValue })
    }

    /// Nil is the name of a number that no set can name.
    func answer(_ name: String?, _ arguments: [UInt64]) -> FilterAction {
        guard let name else { return .refuse(errno: 38) }
        let lines = allowed[name] ?? []
        if !lines.isEmpty && lines.allSatisfy(\.once) { return .watch }
        if lines.contains(where: { $0.holds(arguments) }) { return .allow }
        return denied.contains(name) ? .report : .refuse(errno: 38)
    }

    var allowedNames: Set<String> { Set(allowed.keys) }

    private static func lines(_ set: String) throws -> [JSONValue] {
        try #require(file(set)["syscalls"]?.arrayValue)
    }

    private static func file(_ name: String) throws -> JSONValue {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appendingPathComponent("Sources/Sandbox/Profiles/\(name).json")
        return try JSONValue(parsing: Array(Data(contentsOf: file)))
    }
}

/// Argument values on which filters have gone wrong, or could.
enum InterestingArguments {
    static let values: [UInt64] = {
        var values: Set<UInt64> = Set(0...50)  // socket families, prctl options, small flags
        values.formUnion((0..<64).map { 1 << $0 })
        values.formUnion([0x7FFF_FFFF, 0xFFFF_FFFF, 0x8000_0000, .max, 0xFFFF_FFFF_0000_0000])
        values.formUnion(Array(0x5400...0x5480))  // terminals: TIOCSTI 0x5412, TIOCLINUX 0x541C
        values.formUnion([
            0x1001, 0x1002, 0x1003, 0x1004, 0x3001, 0x3002, 0x3005, 0x5356_4D41, 0x5961_6D61,
        ])
        // clone: thread, fork, vfork, each namespace alone and with CLONE_THREAD.
        let thread: UInt64 = 0x3D0F00
        for flag: UInt64 in [
            0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
        ] {
            values.formUnion([flag, flag | thread, flag | 0x11, flag | 0x10000])
        }
        values.formUnion([thread, 0x1200011, 0x4111, 0x11])
        // What the kernel ignores above 32 bits must not make a value look like another one.
        return values.union(values.map { $0 | 1 << 32 }).union(values.map { $0 | 0xFFFF_FFFF << 32 })
            .sorted()
    }()

    /// A few, for calls whose arguments do not matter: they must not.
    static let few: [UInt64] = [0, 1, 0x5412, 0xFFFF_FFFF, 1 << 32, .max]
}
