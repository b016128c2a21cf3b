internal import JSONBytes

/// Every limit of the host. Units in the names.
public enum HostLimits {
    /// How long a call may take, from its arrival to its terminal answer.
    public static let callMilliseconds: UInt64 = 60_000
    /// Arguments of one call, as JSON.
    public static let argumentBytes = 1 << 20
    /// The bytes of one answer, those of `data` and `result` together.
    public static let answerBytes = 8 << 20
    /// The same where they pass through to the caller as they come.
    public static let streamedBytes = 1 << 30
    /// Incidents that are kept of one plugin.
    public static let incidentsKept = 100
    /// Incidents and audit entries that wait in memory for room on the disk.
    public static let lateRecords = 256
    /// Principals of one plugin whose failures are counted.
    public static let failingPrincipals = 1_000
    /// Lines of standard error in one incident.
    public static let incidentLines = 20
    /// Request ids in one incident.
    public static let incidentCalls = 64
    /// Calls of one instance that were given up and have had no answer yet, as far as they are remembered.
    public static let givenUpCalls = 1_024
    /// Between two pings of a plugin with open calls.
    public static let pingMilliseconds: UInt64 = 2_000
    /// The same without open calls.
    public static let idlePingMilliseconds: UInt64 = 10_000
    /// How long a ping may go unanswered before the plugin's log says so, or, without open calls, another follows.
    public static let pongMilliseconds: UInt64 = 5_000
    /// One secret's value.
    public static let secretBytes = 16 << 10
    /// Versions of one secret that are kept, the current one among them.
    public static let secretVersions = 10
    /// Seconds between two writings of when secrets were last used.
    static let secretUseSeconds = 60
    /// How long a form for credentials can be filled in.
    public static let secretFormMilliseconds: UInt64 = 600_000
    /// Wrong pairing codes that end it.
    public static let secretFormAttempts = 5
    /// Open forms: of all users, of one, and asked for by one.
    public static let secretForms = 64
    public static let secretFormsOfOneOwner = 5
    public static let secretFormsOfOneAsker = 32
    /// Secrets shorter than this are too common to be searched for in results.
    public static let redactedFromBytes = 8
    /// Bytes that may wait for a plugin that does not read, per instance.
    public static let unsentBytes = 16 << 20
    /// Bytes taken from one plugin before the next one has its turn.
    public static let readBytes = 256 << 10
    /// When so much of a frame has not come yet, it is read to where the frame lies, without a copy.
    static let largeReadBytes = 64 << 10
    /// What a plugin may have written that the host has not read: fewer changes between the two for a large answer. The
    /// kernel doubles it (socket(7)), and bounds it by net.core.wmem_max.
    static let channelBytes = 256 << 10
    /// Lines of stderr, stdout and log frames kept per plugin.
    public static let keptLogLines = 200
    /// One such line, in characters.
    public static let logLineBytes = 2_048
    /// Fields of one log record, as JSON; larger ones are left out.
    public static let logFieldsBytes = 16 << 10
    /// What people are told with a progress, in Unicode scalars.
    public static let progressMessageScalars = 512
    /// A progress whose message is longer than this goes on without it: it would have to be searched for secrets.
    public static let rawProgressMessageBytes = 64 << 10
    /// Lines that a plugin may log in one second; the rest is counted and dropped.
    public static let logLinesPerSecond = 100
    /// Series of one metric; what would be one more is counted as `other`.
    public static let metricSeries = 1_000
    /// Denials of one call that are recorded one by one.
    public static let recordedDenials = 20
    /// After a call's deadline, how long a plugin may say nothing at all before it counts as dead.
    public static let silenceMilliseconds: UInt64 = 2_000
    /// What is read of one line before it is searched for secrets and cut.
    public static let rawLineBytes = 64 << 10
    /// Answer to `http.fetch`, body.
    public static let fetchResponseBytes = 2 << 20
    /// Calls that wait for a plugin that serves as many as its manifest allows.
    public static let queuedCalls = 64
    /// Plugin processes of the host, those that wait for a call included.
    public static let processes = 64
    /// The sum of their memory limits.
    public static let memoryMegabytes = processes * instanceMegabytes
    /// The memory limit of a plugin whose manifest has none.
    public static let instanceMegabytes = 512
    /// Processes of one plugin with isolation `per-user`.
    public static let perUserInstances = processes / 2
    /// Calls at once of one plugin with isolation `per-call`; each has a process.
    public static let perCallInstances = 16
    /// Started processes that such a plugin has ready while it is in use.
    public static let warmInstances = 2
    /// A plugin process that served nobody for so long is stopped.
    public static let idleMilliseconds: UInt64 = 300_000
    /// Between two looks for idle processes.
    public static let idleCheckMilliseconds: UInt64 = 1_000
    /// What a caller is told to wait when the budget is used up.
    public static let budgetRetryMilliseconds = 1_000
    /// How long a new version is watched after an upgrade; the old one comes back if it fails.
    public static let probationMilliseconds: UInt64 = 60_000
    /// What nexus.json may cost.
    static let configuration = JSONLimits(bytes: 1 << 20, depth: 4, values: 20_000)
    /// What it may set: of the whole host,
    static let settableProcesses = 1...10_000
    static let settableMegabytes = 16...(16 << 20)
    /// and of one plugin.
    static let settableWarm = 0...64
    static let settableInstances = 1...1_000
    static let settableIdleSeconds = 1...86_400
    static let settableQueued = 1...1_000
    static let settableProbationSeconds = 0...3_600
    /// A key of `kv`.
    public static let keyBytes = 256
    /// What each key of `kv` counts beside its own bytes and its value's: a row and its place in the index.
    public static let keyOverheadBytes = 64
    /// A value of `kv`.
    public static let valueBytes = 1 << 20
    /// Keys in one answer of `kv.list`.
    public static let listedKeys = 1_000
    /// Lines of a plugin's log in one answer of the API.
    public static let logLinesPerAnswer = 500
    /// What of `http.fetch` one plugin may have in flight at once, over all its calls and instances.
    public static let fetchesInFlight = 16
    /// Bytes of requests and answers of one plugin's `http.fetch` in one minute.
    public static let fetchBytesPerMinute = 128 << 20
    /// From the name to a connected socket.
    public static let fetchConnectMilliseconds: Int64 = 5_000
    /// Without a byte of the answer.
    public static let fetchIdleMilliseconds: Int64 = 15_000
    /// Clients with open connections that are kept, one for each checked address.
    public static let fetchClients = 64
    /// One `http.fetch`.
    public static let fetchMilliseconds: UInt64 = 15_000
    /// Headers of one `http.fetch`.
    public static let fetchHeaders = 32
    /// The farthest ahead that anything of a session waits for a time.
    public static let timerMilliseconds: UInt64 = 24 * 3_600_000
    /// Connections of `net.connect` that one plugin may be making at once, over all its calls and instances.
    public static let connectsInFlight = 8
    /// Connections of `net.connect` that one plugin may begin in a minute. The open ones are bounded by twice its
    /// openFiles.
    public static let connectsPerMinute = 60
    /// From the name to a connected socket, for `net.connect`.
    public static let connectMilliseconds: Int64 = 5_000
    /// Sockets on their way to a plugin that does not read, per instance.
    public static let unsentSockets = 32
    /// After a plugin's socket closes, how long to wait for its exit status.
    public static let exitStatusMilliseconds: UInt64 = 300
    /// The same for what is only recorded: whether it was held back.
    public static let lastWordMilliseconds: UInt64 = 30_000
    /// Between asking a disposed plugin to go and killing it.
    public static let terminateMilliseconds: UInt64 = 1_000
}
