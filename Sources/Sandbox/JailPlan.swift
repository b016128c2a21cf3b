// The plan as bytes: a header and operations, in the format that plan_format.h fixes for both sides. Built only by
// JailCompiler; a corrupt one is refused by nexus-jail before anything is done.
import CJail

/// An ordered list of operations for nexus-jail.
public struct JailPlan: Sendable, Equatable, CustomStringConvertible {
    public let bytes: [UInt8]
    /// One line per operation, for golden tests and reviewers.
    public let description: String
}

/// Collects operations. Not `JailPlan` itself, so that a finished plan cannot grow.
struct PlanWriter {
    private var operations: [UInt8] = []
    private var lines: [String] = []
    private var count: UInt32 = 0

    mutating func layer(_ name: String, _ detail: String = "") {
        append(JAIL_LAYER, text: [name, detail], note: detail.isEmpty ? name : "\(name): \(detail)")
    }

    /// Adds one operation whose data is text, each string ended by NUL.
    mutating func append(
        _ code: jail_code, _ numbers: [UInt64] = [], text: [String] = [], optional: Bool = false, note: String? = nil
    ) {
        var data: [UInt8] = []
        for string in text { data += Array(string.utf8) + [0] }
        let shown = note ?? (numbers.map { String($0) } + text).joined(separator: " ")
        append(code, numbers, data: data, optional: optional, shown: shown)
    }

    /// Adds one operation whose data is a compiled filter.
    mutating func append(_ code: jail_code, filter: CompiledFilter) {
        let listener = filter.hasListener ? ", with a listener" : ""
        append(
            code, [filter.hasListener ? 1 : 0], data: filter.bytes, optional: false,
            shown: "filter of profile \(filter.profile)\(listener)")
    }

    private mutating func append(_ code: jail_code, _ numbers: [UInt64], data: [UInt8], optional: Bool, shown: String) {
        var header = jail_operation()
        header.code = UInt16(truncatingIfNeeded: code.rawValue)
        header.flags = optional ? UInt16(JAIL_OPERATION_OPTIONAL) : 0
        header.data_length = UInt32(truncatingIfNeeded: data.count)
        func number(_ index: Int) -> UInt64 { index < numbers.count ? numbers[index] : 0 }
        header.number = (number(0), number(1), number(2), number(3))
        withUnsafeBytes(of: header) { operations.append(contentsOf: $0) }
        operations.append(contentsOf: data)
        operations.append(contentsOf: repeatElement(0, count: (8 - data.count % 8) % 8))
        let indent = code == JAIL_LAYER ? "" : "  "
        let line = "\(indent)\(PlanOpcode.name(code.rawValue)) \(shown)\(optional ? " (optional)" : "")"
        lines.append(line.hasSuffix(" ") ? String(line.dropLast()) : line)
        count += 1
    }

    /// The finished plan.
    func finish(host: JailHost) throws(JailError) -> JailPlan {
        var header = jail_plan_header()
        header.magic = UInt32(JAIL_PLAN_MAGIC)
        header.version = UInt32(JAIL_FORMAT_VERSION)
        header.operation_count = count
        header.outer_uid = host.outerUser
        header.outer_gid = host.outerGroup
        header.inner_uid = JailCompiler.innerID
        header.inner_gid = JailCompiler.innerID
        let length = MemoryLayout<jail_plan_header>.size + operations.count
        guard length <= Int(JAIL_PLAN_MAX_BYTES), count <= UInt32(JAIL_PLAN_MAX_OPERATIONS) else {
            throw JailError(
                .policy,
                "the policy makes a plan of \(length) bytes and \(count) operations; at most "
                    + "\(JAIL_PLAN_MAX_BYTES) and \(JAIL_PLAN_MAX_OPERATIONS) are possible: use less of both"
            )
        }
        header.length = UInt32(length)
        let bytes = withUnsafeBytes(of: header) { Array($0) } + operations
        return JailPlan(bytes: bytes, description: lines.joined(separator: "\n"))
    }
}

/// Names of the operations, in the order of their codes.
enum PlanOpcode {
    static let names = [
        "layer", "private-mounts", "open-source", "set-ids", "die-with-launcher", "no-user-namespaces", "root-tmpfs",
        "make-directory", "make-link", "bind", "mount-tmpfs", "mount-proc", "cgroup-namespace", "set-hostname", "pivot",
        "read-only-root", "no-new-privileges", "fresh-keyring", "limit", "drop-capabilities", "speculation", "landlock",
        "landlock-allow", "landlock-enforce", "hide-init", "fork", "new-session", "reset-signals", "working-directory",
        "descriptors", "verify", "filter", "execute", "place-sealed", "cgroup", "no-new-code", "no-memfd-programs",
        "schedule-apart", "cgroup-limit", "listener", "landlock-port",
    ]

    static func name(_ code: UInt32) -> String {
        let index = Int(code) - 1
        return names.indices.contains(index) ? names[index] : "operation-\(code)"
    }
}
