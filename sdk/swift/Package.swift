// swift-tools-version: 6.2
// The SDK by itself, for plugins outside of this repository: it has no dependencies, so they have none.
import PackageDescription

/// The dialect of the repository's own Package.swift. Warnings are no errors here: an author may have a later compiler.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "nexus-plugin-sdk",
    products: [
        .library(name: "PluginSDK", targets: ["PluginSDK"]),
        .library(name: "PluginSDKTesting", targets: ["PluginSDKTesting"]),
    ],
    targets: [
        // ABI is a link to Sources/PluginABI: a package's targets lie inside of it.
        .target(name: "JSONBytes", path: "ABI/JSON", swiftSettings: house),
        .target(name: "PluginABI", dependencies: ["JSONBytes"], path: "ABI", exclude: ["JSON"], swiftSettings: house),
        .target(name: "PluginSDK", dependencies: ["PluginABI", "JSONBytes"], swiftSettings: house),
        .target(
            name: "PluginSDKTesting", dependencies: ["PluginSDK", "PluginABI", "JSONBytes"], swiftSettings: house),
    ]
)
