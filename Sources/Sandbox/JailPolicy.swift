// What a jail should be, said by the host in terms that need no kernel knowledge. HostCore compiles permissions to
// this; JailCompiler turns it into a plan. Everything not named here is absent from the jail.

/// A named way to make a jail weaker. Each use can be found by searching the sources for its name.
public enum JailWeakening: String, Sendable, Equatable {
    /// The plugin may change the files of this mount on the host. They stay non-executable there.
    case writableMount
    /// Each call that the profile allows waits until the host has counted it, and then goes on
    /// (SECCOMP_USER_NOTIF_FLAG_CONTINUE). Slow, and for `nexus sandbox record` only; no call that the profile refuses
    /// gets through.
    case recordedCalls
    /// Calls that name a file and that the profile allows wait until the host has read the path, and then go on, to
    /// tell the author which paths the jail does not have. For development only: every such call costs a turn of the
    /// host, which reads the program's memory. No call that the profile refuses gets through.
    case shownPaths
    /// The jail has a loopback and sockets of family AF_INET: programs there reach one port, where the host accepts.
    case proxySocket
}

/// A file or directory of the host that appears in the jail, read-only unless weakened.
public struct JailMount: Sendable, Equatable {
    /// Absolute path on the host, without symbolic links on the way: links are refused, not followed.
    public var source: String
    /// Absolute path in the jail.
    public var destination: String
    public private(set) var writable: Bool

    public init(source: String, destination: String, weakening: JailWeakening? = nil) {
        self.source = source
        self.destination = destination
        self.writable = weakening == .writableMount
    }

    /// The same mount of another place on the host.
    func from(_ source: String) -> JailMount {
        var copy = self
        copy.source = source
        return copy
    }
}

/// A symbolic link in the jail's root, such as `/lib` on a merged-/usr system.
public struct JailLink: Sendable, Equatable {
    public var path, target: String
    public init(path: String, target: String) {
        self.path = path
        self.target = target
    }
}

/// Upper bounds that the kernel enforces with cgroups(7), setrlimit(2) and tmpfs(5).
public struct JailLimits: Sendable, Equatable {
    /// Memory of the whole jail in bytes, its /tmp included, with no swap. Without a cgroup it is the address space of
    /// each process, and the whole jail is bounded only by this times `processes`.
    public var memoryBytes: UInt64
    /// Processes and threads together, init not counted.
    public var processes: UInt32
    /// Open descriptors of each process; at least 16.
    public var openFiles: UInt32
    /// The largest file that may be written, in bytes.
    public var fileBytes: UInt64
    /// Size of /tmp in bytes.
    public var temporaryBytes: UInt64
    /// Percent of one processor, beyond which the jail is held back; nil: no bound. Needs a cgroup.
    public var cpuPercent: UInt32?

    public init(
        memoryBytes: UInt64, processes: UInt32, openFiles: UInt32, fileBytes: UInt64, temporaryBytes: UInt64,
        cpuPercent: UInt32? = nil
    ) {
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.openFiles = openFiles
        self.fileBytes = fileBytes
        self.temporaryBytes = temporaryBytes
        self.cpuPercent = cpuPercent
    }

    /// 512 MiB, 64 processes and threads, 256 descriptors, 64 MiB files, 64 MiB of /tmp.
    public static let standard = JailLimits(
        memoryBytes: 512 << 20, processes: 64, openFiles: 256, fileBytes: 64 << 20, temporaryBytes: 64 << 20)
}

/// What is executed.
public enum JailProgram: Sendable, Equatable {
    /// The sealed memory file passed as `JailDescriptors.executable`: exactly the bytes that the host verified.
    case sealed
    /// A path in the jail; without a slash it is looked up in the policy's `PATH`.
    case path(String)
    /// The interpreter at a path in the jail; the sealed memory file's bytes are a read-only file at `script`.
    case script(interpreter: String, script: String)

    /// Whether `JailDescriptors.executable` goes with it.
    var takesSealedMemory: Bool {
        if case .path = self { return false }
        return true
    }
}

/// A jail, completely described.
public struct JailPolicy: Sendable, Equatable {
    /// For messages and reports; no meaning to the kernel.
    public var name: String
    /// A system call profile: `native`, `strict`, `python`, `node` or `compat`.
    public var profile: String
    public var program: JailProgram
    /// argv, including the program's own name.
    public var arguments: [String]
    public var environment: [String: String]
    public var mounts: [JailMount]
    public var links: [JailLink]
    /// More directories like /tmp: absolute paths in the jail, each with its size in bytes. Private, empty, writable.
    public var temporary: [String: UInt64] = [:]
    /// Absolute path in the jail.
    public var workingDirectory: String
    public var limits: JailLimits
    /// See `JailWeakening.recordedCalls`.
    public private(set) var recordsCalls = false
    /// What to do about a path that the jail does not have; nil: paths are not looked at. See
    /// `JailWeakening.shownPaths`.
    private(set) var shownPathAdvice: String?
    /// A port of 127.0.0.1 in the jail on which the host accepts connections; see `Jail.takeProxySocket`. Nil: the jail
    /// has no network at all.
    public private(set) var proxyPort: UInt16?

    public init(
        name: String, profile: String = "strict", program: JailProgram, arguments: [String],
        environment: [String: String] = [:], mounts: [JailMount] = [], links: [JailLink] = [],
        workingDirectory: String = "/tmp", limits: JailLimits = .standard
    ) {
        self.name = name
        self.profile = profile
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.mounts = mounts
        self.links = links
        self.workingDirectory = workingDirectory
        self.limits = limits
    }

    /// The same jail with every call shown to the host.
    func recording(weakening: JailWeakening) -> JailPolicy {
        var copy = self
        copy.recordsCalls = weakening == .recordedCalls
        return copy
    }
}

extension JailPolicy {
    /// Gives the jail a proxy socket; profile `compat` only.
    ///
    /// - Parameter port: 1024 or more.
    public mutating func open(port: UInt16, weakening: JailWeakening) {
        if weakening == .proxySocket { proxyPort = port }
    }

    /// Has the host hear of paths that the jail does not have.
    ///
    /// - Parameter advice: what would put a path into the jail, for whoever reads of it.
    public mutating func showPaths(advice: String, weakening: JailWeakening) {
        if weakening == .shownPaths { shownPathAdvice = advice }
    }

    var pathAdvice: String { shownPathAdvice ?? "" }

    /// The profile that the filter is compiled from.
    var filterProfile: String { proxyPort == nil ? profile : "\(profile)-proxy" }
}

/// Who the jail is on the outside.
public struct JailHost: Sendable, Equatable {
    /// The launcher is root: groups are cleared, and ids come from the range that nexus-jail allows.
    public var privileged: Bool
    public var outerUser, outerGroup: UInt32
    /// What the launcher bounds for a jail as a whole.
    public var bounds: CgroupBounds

    public init(privileged: Bool, outerUser: UInt32, outerGroup: UInt32, bounds: CgroupBounds = .none) {
        self.bounds = bounds
        self.privileged = privileged
        self.outerUser = outerUser
        self.outerGroup = outerGroup
    }
}
