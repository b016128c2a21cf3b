// Profiles as data: JSON files built into the program, composed from named sets. Every allowed call carries its reason,
// and a file that does not say one is refused at load.
import CJail
import JSONBytes

/// One line of a set.
struct SyscallRule: Sendable, Equatable {
    struct Condition: Sendable, Equatable {
        var argument: UInt8
        /// Bits that count. The kernel reads 32-bit arguments from 64-bit registers, so the upper half never does.
        var mask: UInt32
        var values: [UInt32]
        /// What has to hold as well, of another argument; at most one.
        var also: [Condition] = []
    }
    var name: String
    var reason: String
    var condition: Condition?
    /// The set that the line is from.
    var set = ""
    /// For a denied call: what a program can do instead.
    var instead: String?
    /// Allowed while init watches, which it does for the launcher's own exec and no longer.
    var once = false
}

/// A named list of sets, resolved to rules.
struct SyscallProfile: Sendable, Equatable {
    var name: String
    var allowed: [SyscallRule]
    /// Calls answered EPERM rather than ENOSYS, and reported. Those that the profile allows whatever their arguments
    /// are not among them; those that it allows for some arguments are, and it means the others.
    var denied: [SyscallRule]

    private static let files: [String: [UInt8]] = [
        "base": PackageResources.base_json, "threads": PackageResources.threads_json,
        "files": PackageResources.files_json, "swift": PackageResources.swift_json,
        "python": PackageResources.python_json, "node": PackageResources.node_json,
        "processes": PackageResources.processes_json,
        "compat": PackageResources.compat_json, "init": PackageResources.init_json,
        "denied": PackageResources.denied_json, "inet": PackageResources.inet_json,
        "tcp-stream": PackageResources.tcp_stream_json,
    ]

    /// Runtimes that make machine code while they run need memory that is first written and then executed.
    static func refusesNewCode(_ name: String) -> Bool {
        ["native", "strict", "strict-tcp", "python", "python-tcp"].contains(name)
    }

    /// Names of the profiles that exist, in the order of the file.
    static func names() throws(JailError) -> [String] {
        try index().compactMap { $0["name"]?.stringValue }
    }

    /// - Throws: `JailError.Code.policy` for a name that no profile has, or a file that is not as it should be.
    static func named(_ name: String) throws(JailError) -> SyscallProfile {
        guard let entry = try index().first(where: { $0["name"]?.stringValue == name }) else {
            let known = try names().filter { $0 != "init" && !$0.hasSuffix("-proxy") }.joined(separator: ", ")
            throw JailError(
                .policy, "there is no system call profile \"\(name)\"; use one of \(known)", layer: "seccomp")
        }
        var allowed: [SyscallRule] = []
        for set in entry["sets"]?.arrayValue ?? [] {
            let replaced = try replaced(bySet: set.stringValue ?? "")
            allowed.removeAll { replaced.contains($0.name) }
            allowed += try rules(ofSet: set.stringValue ?? "")
        }
        let names = Set(allowed.filter { $0.condition == nil }.map(\.name))
        let denied = try rules(ofSet: "denied").filter { !names.contains($0.name) }
        return SyscallProfile(name: name, allowed: allowed, denied: denied)
    }

    private static func index() throws(JailError) -> [JSONValue] {
        try parse(PackageResources.profiles_json, "profiles")["profiles"]?.arrayValue ?? []
    }

    /// Calls that a set speaks of alone: what earlier sets of a profile say about them does not count.
    private static func replaced(bySet set: String) throws(JailError) -> [String] {
        try parse(file(ofSet: set), set)["replaces"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    private static func file(ofSet set: String) throws(JailError) -> [UInt8] {
        guard let file = files[set] else { throw malformed(set, "no such set") }
        return file
    }

    static func rules(ofSet set: String) throws(JailError) -> [SyscallRule] {
        let file = try file(ofSet: set)
        guard let lines = try parse(file, set)["syscalls"]?.arrayValue else { throw malformed(set, "no syscalls") }
        var rules: [SyscallRule] = []
        for line in lines { rules.append(try rule(line, set)) }
        return rules
    }

    private static func rule(_ line: JSONValue, _ set: String) throws(JailError) -> SyscallRule {
        guard let name = line["syscall"]?.stringValue else { throw malformed(set, "a line without syscall") }
        guard let reason = line["reason"]?.stringValue, !reason.isEmpty else {
            throw malformed(set, "\(name) has no reason")
        }
        let instead = line["instead"]?.stringValue
        guard let argument = line["argument"] else {
            return SyscallRule(
                name: name, reason: reason, condition: nil, set: set, instead: instead,
                once: line["once"]?.boolValue == true)
        }
        let condition = try condition(argument, line, "\(set): \(name)")
        return SyscallRule(name: name, reason: reason, condition: condition, set: set, instead: instead)
    }

    private static func condition(
        _ argument: JSONValue, _ line: JSONValue, _ place: String
    ) throws(JailError) -> SyscallRule.Condition {
        let values = (line["values"]?.objectValue?.members ?? []).compactMap { $0.value.intValue }
        guard let position = argument.intValue, (0..<6).contains(position), !values.isEmpty,
            let mask = line["mask"].map({ $0.intValue.flatMap { UInt32(exactly: $0) } }) ?? .some(UInt32.max), mask > 0,
            values.allSatisfy({ UInt32(exactly: $0) != nil })
        else { throw malformed(place, "a condition that cannot be read") }
        var condition = SyscallRule.Condition(
            argument: UInt8(position), mask: mask, values: values.compactMap { UInt32(exactly: $0) })
        if let also = line["and"] {
            guard let other = also["argument"], also["and"] == nil else {
                throw malformed(place, "a second condition that cannot be read")
            }
            condition.also = [try self.condition(other, also, place)]
        }
        return condition
    }

    private static func parse(_ bytes: [UInt8], _ set: String) throws(JailError) -> JSONValue {
        do { return try JSONValue(parsing: bytes) } catch { throw malformed(set, "\(error)") }
    }

    private static func malformed(_ set: String, _ problem: String) -> JailError {
        JailError(.policy, "profile set \(set): \(problem); this build is broken, rebuild it", layer: "seccomp")
    }
}
