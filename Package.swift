// swift-tools-version: 6.2
// The map of the code. Arrows point from a module to what it may import; Tests/StyleTests holds them in place.
import PackageDescription

/// One dialect for every Swift target: language mode 6, explicit existentials, visible imports.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// Plugins are fully static: nothing of the system has to exist in their jail.
let fullyStatic: [LinkerSetting] = [
    .unsafeFlags(["-static-executable"]),
    // What swift-crypto draws in.
    .linkedLibrary("_FoundationCShims"), .linkedLibrary("_FoundationCollections"),
    .linkedLibrary("swiftSynchronization"),
]

let package = Package(
    name: "nexus",
    products: [
        .library(name: "PluginSDK", targets: ["PluginSDK"]),
        .library(name: "PluginSDKTesting", targets: ["PluginSDKTesting"]),
        .library(name: "PluginSDKLogging", targets: ["PluginSDKLogging"]),
        .executable(name: "nexus", targets: ["nexus"]),
        .executable(name: "nexusd", targets: ["nexusd"]),
        .executable(name: "crypto-bot", targets: ["crypto-bot"]),
        .executable(name: "exchange-simulator", targets: ["exchange-simulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The plugin ABI: the only parser of bytes that plugins write.
        .target(name: "JSONBytes", path: "Sources/PluginABI/JSON", swiftSettings: house),
        .target(
            name: "PluginABI", dependencies: ["JSONBytes"], path: "Sources/PluginABI",
            exclude: ["JSON"], swiftSettings: house),
        .target(
            name: "PluginSDK", dependencies: ["PluginABI", "JSONBytes"], path: "sdk/swift/Sources/PluginSDK",
            swiftSettings: house),
        .target(
            name: "PluginSDKTesting", dependencies: ["PluginSDK", "PluginABI", "JSONBytes"],
            path: "sdk/swift/Sources/PluginSDKTesting", swiftSettings: house),
        .target(
            name: "PluginSDKLogging", dependencies: ["PluginSDK", .product(name: "Logging", package: "swift-log")],
            path: "sdk/swift/Sources/PluginSDKLogging", swiftSettings: house),

        // The jail: policy in, confined process out. nexus-jail itself is built by the Makefile (C, static).
        .target(name: "CJail", path: "Sources/Sandbox/CJail", linkerSettings: [.linkedLibrary("seccomp")]),
        .target(
            name: "Sandbox", dependencies: ["CJail", "JSONBytes"], path: "Sources/Sandbox",
            exclude: ["CJail", "JailHelper", "Probe"], resources: [.embedInCode("Profiles")], swiftSettings: house),

        // What can be installed, and the bytes that were.
        .target(
            name: "Registry",
            dependencies: [
                "PluginABI", "JSONBytes",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Registry", swiftSettings: house),

        // The host. Confinement is shared with the kit that tests plugins: both build the same jail from a manifest.
        .target(
            name: "Confinement", dependencies: ["PluginABI", "Sandbox"], path: "Sources/Host/Confinement",
            swiftSettings: house),
        // Where plugins may connect to, and the proxy for programs that know of no host.
        .target(
            name: "Egress",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Host/Egress", swiftSettings: house),
        .target(
            name: "AuditLog",
            dependencies: [
                "JSONBytes",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Host/AuditLog", swiftSettings: house),
        .target(
            name: "HostAPI", dependencies: ["PluginABI", "JSONBytes"], path: "Sources/Host/API", swiftSettings: house),
        .target(
            name: "HostCore",
            dependencies: [
                "PluginABI", "JSONBytes", "Confinement", "Egress", "Sandbox", "Registry", "AuditLog", "CJail",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Host/Core", swiftSettings: house),
        .target(
            name: "HostSurfaces",
            dependencies: [
                "HostCore", "HostAPI", "PluginABI", "JSONBytes", "Registry", "AuditLog",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Host/Surfaces", swiftSettings: house),
        .executableTarget(
            name: "nexusd",
            dependencies: [
                "HostSurfaces", "HostCore", "HostAPI", "Confinement", "Sandbox", "Registry", "AuditLog", "JSONBytes",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Host/Daemon", swiftSettings: house),

        // The kit that holds plugins and hosts to the written ABI.
        .target(
            name: "Conformance",
            dependencies: ["PluginABI", "JSONBytes", "Registry", "Confinement", "Sandbox", "CJail"],
            path: "sdk/conformance/Sources/Conformance", swiftSettings: house),

        // The command line: no arrow to HostCore, so it cannot go around policy.
        .executableTarget(
            name: "nexus",
            dependencies: [
                "HostAPI", "Conformance", "Confinement", "Egress", "Sandbox", "Registry", "AuditLog", "JSONBytes",
                "PluginABI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Sources/Host/CLI", resources: [.embedInCode("Author/Templates")], swiftSettings: house),

        // The reference plugin and the exchange that it is tried against.
        .target(
            name: "CryptoBotCore", dependencies: ["PluginSDK", .product(name: "Crypto", package: "swift-crypto")],
            path: "Plugins/crypto-bot/Sources/Core", swiftSettings: house),
        .executableTarget(
            name: "crypto-bot", dependencies: ["CryptoBotCore", "PluginSDK"],
            path: "Plugins/crypto-bot/Sources/Main", swiftSettings: house, linkerSettings: fullyStatic),
        .executableTarget(
            name: "exchange-simulator",
            dependencies: [
                "JSONBytes",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
            ],
            path: "Plugins/crypto-bot/Simulator", exclude: ["checks"], swiftSettings: house),

        // What `make bench` runs.
        .executableTarget(
            name: "nexus-bench",
            dependencies: ["HostCore", "AuditLog", "Sandbox", "Registry", "PluginABI", "JSONBytes", "CAllocations"],
            path: "Tests/Bench/Sources", swiftSettings: house),
        .executableTarget(
            name: "nexus-bench-jail", dependencies: ["Sandbox", "JSONBytes"], path: "Tests/Bench/Jails",
            swiftSettings: house),

        // Tests, one target per module; Style holds the architecture, EndToEnd drives the built programs.
        .testTarget(name: "JSONBytesTests", dependencies: ["JSONBytes"], swiftSettings: house),
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .target(
            name: "SpecVectors", dependencies: ["PluginABI", "JSONBytes"], path: "Tests/SpecVectors",
            swiftSettings: house),
        .testTarget(
            name: "PluginABITests", dependencies: ["PluginABI", "JSONBytes", "SpecVectors", "CAllocations"],
            swiftSettings: house),
        .testTarget(
            name: "PluginSDKTests",
            dependencies: [
                "PluginSDK", "PluginSDKTesting", "PluginSDKLogging", "PluginABI", "JSONBytes", "CJail", "SpecVectors",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "CryptoBotTests", dependencies: ["CryptoBotCore", "PluginSDK", "PluginABI", "JSONBytes"],
            swiftSettings: house),
        .testTarget(name: "SandboxTests", dependencies: ["Sandbox", "CJail", "JSONBytes"], swiftSettings: house),
        .testTarget(
            name: "ConfinementTests", dependencies: ["Confinement", "PluginABI", "Sandbox"], swiftSettings: house),
        .testTarget(name: "RegistryTests", dependencies: ["Registry", "PluginABI", "JSONBytes"], swiftSettings: house),
        .testTarget(name: "AuditLogTests", dependencies: ["AuditLog", "JSONBytes"], swiftSettings: house),
        .testTarget(name: "EgressTests", dependencies: ["Egress", "Sandbox"], swiftSettings: house),
        .testTarget(
            name: "HostCoreTests",
            dependencies: [
                "HostCore", "Egress", "PluginABI", "JSONBytes", "AuditLog", "Registry", "Sandbox", "Confinement",
                "CJail", "SpecVectors",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            exclude: ["signature_oracle.py"], swiftSettings: house),
        .testTarget(
            name: "HostSurfacesTests",
            dependencies: ["HostSurfaces", "HostCore", "HostAPI", "JSONBytes", "AuditLog", "Registry", "Sandbox"],
            swiftSettings: house),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["Conformance", "Confinement", "Sandbox", "PluginABI", "JSONBytes"], swiftSettings: house),
        .testTarget(
            name: "CLITests", dependencies: ["nexus", "JSONBytes", "PluginABI", "Registry", "Sandbox"],
            swiftSettings: house),
        .testTarget(name: "StyleTests", swiftSettings: house),
        .testTarget(
            name: "EndToEndTests", dependencies: ["JSONBytes"],
            exclude: ["browser_client.py", "mcp_client.py", "metrics_client.py", "top_client.py"],
            swiftSettings: house),
    ]
)
