/// Every limit of a manifest (manifest-v1.md section 7). Text is counted in Unicode scalars unless a name says bytes.
public enum ManifestLimits {
    /// `plugin.json` itself.
    public static let manifestBytes = 1 << 20
    public static let manifestDepth = 32
    public static let manifestValues = 20_000

    public static let name = 64
    public static let version = 64
    public static let description = 300
    /// `publisher`, `license` and a tool's `title`.
    public static let label = 100
    public static let homepage = 300
    /// Such a path has to fit the name field of a ustar header.
    public static let executableBytes = 100
    public static let arguments = 64
    public static let argument = 1_000
    public static let reason = 1_000
    public static let toolDescription = 2_000
    public static let mediaTypeBytes = 127
    public static let originCharacters = 300
    /// A prefix in `http.fetch`, or a path under `filesystem`.
    public static let path = 255
    public static let methodsAndPaths = 32
    /// `sealed` of one entry in `http.fetch`.
    public static let sealedUses = 16
    /// `parts` of one signature.
    public static let signatureParts = 32

    public static let tools = 256
    /// Entries of each permission that is a list.
    public static let permissionEntries = 32
    public static let schemaDepth = JSONSchema.depthLimit

    public static let abiVersion = 1_000
    public static let concurrency = 64
    public static let keyValueMegabytes = 64
    public static let memoryMegabytes = 16...4_096
    public static let processes = 1...256
    public static let openFiles = 16...1_024
    public static let cpuPercent = 1...800
    public static let temporaryMegabytes = 1...1_024
}
