// Which paths a program asks for and its jail does not have, told while a plugin is developed. A pure function of the
// policy: nothing is looked up, and nothing here decides anything. The kernel answers the call; a path that lies
// outside of what the policy mounts gets ENOENT from it, because nothing else is in the jail's tree.
import CJail
import Glibc

/// A call that names a file: where its path is, and whether it would change something.
struct PathCall: Sendable, Equatable {
    enum Writing: Sendable, Equatable {
        case never, always
        /// As the open flags in that argument say.
        case flags(argument: Int)
    }
    var name: String
    /// The descriptor of the directory that a relative path begins at; nil: the working directory.
    var directory: Int?
    var path: Int
    var writing = Writing.never

    /// The calls that are looked at. execveat(2) is missing: nexus-jail itself makes it, once.
    static let all: [PathCall] = [
        PathCall(name: "open", path: 0, writing: .flags(argument: 1)),
        PathCall(name: "creat", path: 0, writing: .always),
        PathCall(name: "openat", directory: 0, path: 1, writing: .flags(argument: 2)),
        // Its flags are in memory, which is not worth another look.
        PathCall(name: "openat2", directory: 0, path: 1),
        PathCall(name: "stat", path: 0), PathCall(name: "lstat", path: 0),
        PathCall(name: "newfstatat", directory: 0, path: 1), PathCall(name: "statx", directory: 0, path: 1),
        PathCall(name: "access", path: 0), PathCall(name: "faccessat", directory: 0, path: 1),
        PathCall(name: "faccessat2", directory: 0, path: 1), PathCall(name: "statfs", path: 0),
        PathCall(name: "readlink", path: 0), PathCall(name: "readlinkat", directory: 0, path: 1),
        PathCall(name: "chdir", path: 0), PathCall(name: "execve", path: 0),
        PathCall(name: "mkdir", path: 0, writing: .always),
        PathCall(name: "mkdirat", directory: 0, path: 1, writing: .always),
        PathCall(name: "rmdir", path: 0, writing: .always), PathCall(name: "unlink", path: 0, writing: .always),
        PathCall(name: "unlinkat", directory: 0, path: 1, writing: .always),
        PathCall(name: "truncate", path: 0, writing: .always), PathCall(name: "rename", path: 0, writing: .always),
        PathCall(name: "renameat", directory: 0, path: 1, writing: .always),
        PathCall(name: "renameat2", directory: 0, path: 1, writing: .always),
    ]

    /// By number; a name that another processor has is left out.
    static let byNumber: [Int32: PathCall] = Dictionary(
        all.map { (cjail_syscall_number($0.name), $0) }.filter { $0.0 >= 0 }, uniquingKeysWith: { first, _ in first })

    /// Whether these registers would change the file.
    func writes(_ arguments: [UInt64]) -> Bool {
        switch writing {
        case .never: return false
        case .always: return true
        case .flags(let argument):
            let flags = Int32(truncatingIfNeeded: arguments[argument])
            return flags & O_ACCMODE != O_RDONLY || flags & O_CREAT != 0
        }
    }
}

/// What a jail has of a file tree, as its policy says.
struct JailPaths: Sendable, Equatable {
    enum Verdict: Sendable, Equatable {
        /// Below something that is mounted: whether the file is there, only the kernel knows.
        case inside
        /// Nothing of the policy is there: ENOENT.
        case absent
        /// It is there to be read, and the call would change it: EROFS.
        case readOnly
    }
    /// What is there with all below it, and whether it may be changed.
    private let trees: [(path: String, writable: Bool)]
    private let links: [JailLink]

    static func == (left: JailPaths, right: JailPaths) -> Bool {
        left.trees.map(\.path) == right.trees.map(\.path) && left.trees.map(\.writable) == right.trees.map(\.writable)
            && left.links == right.links
    }

    init(_ policy: JailPolicy) {
        var trees = policy.mounts.map { (path: $0.destination, writable: $0.writable) }
        trees += (["/tmp"] + policy.temporary.keys.sorted()).map { ($0, true) }
        // /dev/fd leads to /proc; the devices take writes.
        trees += ["/proc", "/dev/fd"].map { ($0, true) } + JailTree.devices.map { ("/dev/\($0)", true) }
        if case .script(_, let script) = policy.program { trees.append((script, false)) }
        self.trees = trees
        links = policy.links
    }

    /// - Parameter path: absolute, in the jail. `..` is taken as text, so that one behind a link may be judged wrongly.
    func verdict(_ path: String, writes: Bool) -> Verdict {
        let path = resolved(Self.plain(path))
        // The deepest tree counts: a mount may lie in another.
        if let tree = trees.filter({ path.isAtOrBelow($0.path) }).max(by: { $0.path.utf8.count < $1.path.utf8.count }) {
            return writes && !tree.writable ? .readOnly : .inside
        }
        // The root, and directories on the way to what is mounted.
        let leads =
            path == "/" || path == "/dev" || (trees.map(\.path) + links.map(\.path)).contains { $0.isAtOrBelow(path) }
        return leads ? (writes ? .readOnly : .inside) : .absent
    }

    /// Through the links of the root; they lead to mounts, and not to each other.
    private func resolved(_ path: String) -> String {
        guard let link = links.first(where: { path.isAtOrBelow($0.path) }) else { return path }
        let above = link.path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/\($1)" }
        let target = link.target.hasPrefix("/") ? link.target : "\(above)/\(link.target)"
        return Self.plain(target + path.dropFirst(link.path.count))
    }

    /// Without empty parts, `.` and `..`.
    static func plain(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// What one jail is told about paths: each once, and so many in all.
struct PathRules: Sendable {
    /// Different paths of one jail; a program that looks for a thousand files tells nothing more with the last ones.
    static let mostPaths = 50
    private let profile: String
    private let paths: JailPaths
    private let advice: String
    private let filter: FilterEvaluator

    /// - Throws: `JailError.Code.policy` for a profile that does not exist.
    init(_ policy: JailPolicy) throws(JailError) {
        profile = policy.profile
        paths = JailPaths(policy)
        advice = policy.pathAdvice
        guard
            let filter = FilterEvaluator(
                bytes: try FilterCompiler.filter(profile: policy.filterProfile, mode: .silent).bytes)
        else { throw JailError(.policy, "the filter of profile \(profile) cannot be read back", layer: "seccomp") }
        self.filter = filter
    }

    /// Whether the profile's own filter lets a call through that is looked at here: only then it may go on.
    func isShown(_ call: CallData) -> PathCall? {
        guard let known = PathCall.byNumber[Int32(bitPattern: call.number)], filter.answer(call) == .allow else {
            return nil
        }
        return known
    }

    /// Nil for a path that the jail has.
    func denial(
        _ known: PathCall, _ call: CallData, path: String, processID: Int32, time: Int64
    ) -> JailDenial? {
        let verdict = paths.verdict(path, writes: known.writes(call.arguments))
        guard verdict != .inside else { return nil }
        return JailDenial(
            time: time, call: known.name, number: Int32(bitPattern: call.number), arguments: call.arguments,
            detail: JailPaths.plain(path).bounded, answer: verdict == .absent ? "ENOENT" : "EROFS", profile: profile,
            reason: verdict == .absent ? "not in the jail" : "read-only in the jail", advice: advice,
            processID: processID, isPath: true)
    }

    /// Said once, where the program's memory is closed to us.
    func unreadable(_ known: PathCall, _ call: CallData, error: Int32, processID: Int32, time: Int64) -> JailDenial {
        JailDenial(
            time: time, call: known.name, number: Int32(bitPattern: call.number), arguments: call.arguments,
            detail: "a path that could not be read: \(ErrnoName.name(error))", answer: "?", profile: profile,
            reason: "whether the jail has it is not known",
            advice: "paths are reported where the host may read the plugin's memory: not after it gave up root",
            processID: processID, isPath: true)
    }
}

extension String {
    /// Long paths are cut where a line would become unreadable.
    fileprivate var bounded: String { count <= 200 ? self : prefix(200) + "…" }
}
