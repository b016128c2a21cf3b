// What `nexus sandbox run` was told, in the terms of a policy. The texts come from the command line of an admin.
import CJail
import Glibc

extension SandboxRun {
    /// How a program is to be run.
    public struct Options: Sendable, Equatable {
        public var profile = "compat"
        /// More of the host; symbolic links in their sources are resolved.
        public var binds: [JailMount] = []
        /// Empty directories of the jail's own, each with `limits.temporaryBytes` of room.
        public var temporary: [String] = []
        /// Added to `PATH`, `HOME` and `TERM`.
        public var environment: [String: String] = [:]
        /// Absolute path in the jail.
        public var workingDirectory = "/tmp"
        public var limits = JailLimits.interactive
        /// After so long the program is ended.
        public var seconds: Double?
        /// Bounds that were asked for, by option, with the layer that holds them.
        public var wishes: [String: String] = [:]
        /// Tell of each call and path that the program is refused. Slow: every path is looked at.
        public var explains = false
        /// `HOST:PORT` that the program may connect to.
        public var network: [String] = []

        public init() {}
    }
}

extension SandboxRun.Options {
    /// `SRC:DST`, both absolute.
    ///
    /// - Throws: `JailError` with `policy`, naming the option and the text.
    public static func mount(_ text: String, writable: Bool) throws(JailError) -> JailMount {
        let option = writable ? "--bind" : "--ro-bind"
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 3, ["rw", "ro"].contains(parts[2]) {
            throw refused(
                "\(option) \(text)", "--bind shows SRC writable and --ro-bind read-only: leave :\(parts[2]) out")
        }
        guard parts.count == 2, parts.allSatisfy({ $0.hasPrefix("/") }) else {
            throw refused("\(option) \(text)", "write SRC:DST with absolute paths")
        }
        return JailMount(source: parts[0], destination: parts[1], weakening: writable ? .writableMount : nil)
    }

    /// `NAME=VALUE`.
    public static func variable(_ text: String) throws(JailError) -> (name: String, value: String) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw refused("--setenv \(text)", "write NAME=VALUE")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// A number of bytes: digits, and `K`, `M` or `G` for powers of 1024.
    public static func size(_ text: String) throws(JailError) -> UInt64 {
        let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let count = UInt64(digits),
            case let (bytes, overflow) = count.multipliedReportingOverflow(by: unit ?? 1), !overflow, bytes > 0
        else { throw refused("--memory \(text)", "write a size such as 512M or 2G") }
        return bytes
    }

    /// Refuses what this version cannot do, before anything is started.
    func check() throws(JailError) {
        if let seconds, !(seconds > 0 && seconds <= 1e9) {
            throw Self.refused("--timeout \(seconds)", "write seconds above 0")
        }
        guard limits.processes > 0 else { throw Self.refused("--pids 0", "at least 1") }
        guard limits.memoryBytes >= 1 << 20 else {
            throw Self.refused("--memory \(limits.memoryBytes)", "at least 1M")
        }
        for path in binds.map(\.destination) + temporary where ["/proc", "/dev"].contains(where: path.isAtOrBelow) {
            throw Self.refused(path, "the jail has its own /proc and /dev; choose another place")
        }
        for path in binds.map(\.destination) where path.isAtOrBelow("/tmp") {
            throw Self.refused(path, "/tmp is the jail's own; choose another place, such as /data")
        }
    }

    /// The binds with every link in their sources resolved: an admin's path may lead through some.
    func resolvedBinds() throws(JailError) -> [JailMount] {
        var resolved: [JailMount] = []
        for bind in binds {
            guard let source = realpath(bind.source, nil) else {
                throw JailError(
                    .policy, "\(bind.source) cannot be shown in the jail: \(ErrnoName.describe(errno))",
                    layer: "mount-sources", errno: errno)
            }
            defer { free(source) }
            guard String(cString: source) != "/" else {
                throw Self.refused(bind.source, "the whole machine cannot be shown; name the directories below /")
            }
            resolved.append(bind.from(String(cString: source)))
        }
        return resolved
    }

    private static func refused(_ what: String, _ remedy: String) -> JailError {
        JailError(.policy, "\(what): \(remedy)", layer: "arguments")
    }
}

extension String {
    /// As a path: the same, or something in it.
    func isAtOrBelow(_ parent: String) -> Bool {
        utf8.elementsEqual(parent.utf8) || utf8.starts(with: "\(parent)/".utf8)
    }
}
