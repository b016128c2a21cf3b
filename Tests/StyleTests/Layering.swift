/// The arrows between modules, as data. docs/ARCHITECTURE.md draws them; this table holds them.
struct Layer: Sendable {
    var module: String
    var folder: String
    /// Folders below that are modules of their own.
    var without: [String] = []
    /// Our own modules that it may import.
    var modules: Set<String>
    /// Everything else that it may import.
    var outside: Set<String> = []

    static let libc: Set<String> = ["Glibc", "Musl", "Synchronization"]
    static let nio: Set<String> = ["NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL"]

    static let all: [Layer] = [
        Layer(module: "JSONBytes", folder: "Sources/PluginABI/JSON", modules: []),
        Layer(
            module: "PluginABI", folder: "Sources/PluginABI", without: ["Sources/PluginABI/JSON"],
            modules: ["JSONBytes"], outside: libc),
        Layer(
            module: "PluginSDK", folder: "sdk/swift/Sources/PluginSDK", modules: ["PluginABI", "JSONBytes"],
            outside: libc),
        Layer(
            module: "PluginSDKTesting", folder: "sdk/swift/Sources/PluginSDKTesting",
            modules: ["PluginSDK", "PluginABI", "JSONBytes"], outside: libc),
        Layer(
            module: "PluginSDKLogging", folder: "sdk/swift/Sources/PluginSDKLogging",
            modules: ["PluginSDK", "PluginABI", "JSONBytes"], outside: libc.union(["Logging"])),
        Layer(
            module: "Conformance", folder: "sdk/conformance/Sources/Conformance",
            modules: ["PluginABI", "JSONBytes", "Registry", "Confinement", "Sandbox", "CJail"], outside: libc),
        Layer(module: "Sandbox", folder: "Sources/Sandbox", modules: ["CJail", "JSONBytes"], outside: libc),
        Layer(
            module: "Registry", folder: "Sources/Registry", modules: ["PluginABI", "JSONBytes"],
            outside: libc.union(["Crypto", "SystemPackage"])),
        Layer(
            module: "Confinement", folder: "Sources/Host/Confinement", modules: ["PluginABI", "Sandbox"],
            outside: libc),
        Layer(
            module: "Egress", folder: "Sources/Host/Egress", modules: [],
            outside: libc.union(["NIOCore", "NIOPosix"])),
        Layer(
            module: "AuditLog", folder: "Sources/Host/AuditLog", modules: ["JSONBytes"],
            outside: libc.union(["Crypto", "SystemPackage"])),
        Layer(module: "HostAPI", folder: "Sources/Host/API", modules: ["PluginABI", "JSONBytes"]),
        Layer(
            module: "HostCore", folder: "Sources/Host/Core",
            modules: ["PluginABI", "JSONBytes", "Confinement", "Egress", "Sandbox", "CJail", "Registry", "AuditLog"],
            outside: libc.union(nio).union([
                "AsyncHTTPClient", "CoreMetrics", "Crypto", "CryptoExtras", "FoundationEssentials", "GRDB", "Logging",
                "SystemPackage",
            ])),
        Layer(
            module: "HostSurfaces", folder: "Sources/Host/Surfaces",
            modules: ["HostCore", "HostAPI", "PluginABI", "JSONBytes", "Registry", "AuditLog"],
            outside: libc.union([
                "FoundationEssentials", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "NIOCore", "NIOPosix",
                "ServiceLifecycle",
            ])),
        Layer(
            module: "nexusd", folder: "Sources/Host/Daemon",
            modules: [
                "HostSurfaces", "HostCore", "HostAPI", "Confinement", "Sandbox", "Registry", "AuditLog", "JSONBytes",
            ],
            outside: libc.union(["ArgumentParser", "Foundation", "Logging", "ServiceLifecycle", "UnixSignals"])),
        Layer(
            module: "nexus", folder: "Sources/Host/CLI",
            modules: [
                "HostAPI", "Conformance", "Confinement", "Egress", "Sandbox", "Registry", "AuditLog", "JSONBytes",
                "PluginABI",
            ],
            outside: libc.union(["ArgumentParser", "AsyncHTTPClient", "Foundation", "NIOCore", "NIOHTTP1"])),
        Layer(
            module: "CryptoBotCore", folder: "Plugins/crypto-bot/Sources/Core", modules: ["PluginSDK", "JSONBytes"],
            outside: libc.union(["Crypto"])),
        Layer(
            module: "crypto-bot", folder: "Plugins/crypto-bot/Sources/Main", modules: ["CryptoBotCore", "PluginSDK"]),
        Layer(
            module: "exchange-simulator", folder: "Plugins/crypto-bot/Simulator", modules: ["JSONBytes"],
            outside: libc.union([
                "ArgumentParser", "Crypto", "HTTPTypes", "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "Logging",
                "NIOCore", "ServiceLifecycle", "UnixSignals",
            ])),
    ]

    /// Walls that stand whatever the table above comes to say.
    static let never: [(module: String, imported: Set<String>, why: String)] = [
        ("PluginABI", ["Foundation", "FoundationEssentials"], "plugins stay small, the parser fuzzes alone"),
        ("PluginSDK", ["Foundation", "FoundationEssentials", "Logging"], "plugins stay small"),
        ("Conformance", ["HostCore", "HostAPI", "Foundation"], "the kit tests any host, from the outside"),
        ("Sandbox", ["PluginABI", "HostCore", "Registry"], "the jail knows nothing of permissions"),
        ("Egress", ["HostCore", "HostAPI", "Sandbox"], "one policy for the host and the command line"),
        ("Registry", ["Sandbox", "CJail"], "what reads strangers' data cannot start a process"),
        ("HostCore", ["Hummingbird", "HostAPI", "HostSurfaces"], "the core opens no listener"),
        ("HostSurfaces", ["Sandbox", "GRDB"], "adapters only"),
        ("nexus", ["HostCore", "HostSurfaces", "GRDB"], "the command line cannot go around policy"),
    ]

    var files: [SourceTree.File] {
        SourceTree.files("swift", in: [folder]).filter { !$0.isIn(without) }
    }

    /// Module names of a file's import lines.
    static func imports(of file: SourceTree.File) -> [String] {
        SwiftText.code(of: file.text).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index + 1 < words.count,
                words[..<index].allSatisfy({ $0.hasPrefix("@") || access.contains(String($0)) })
            else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let name = kinds.contains(words[index + 1]) && index + 2 < words.count ? words[index + 2] : words[index + 1]
            return name.split(separator: ".").first.map(String.init)
        }
    }
    private static let access: Set<String> = ["public", "package", "internal", "fileprivate", "private"]
}
