// swift-tools-version: 6.2
// Fuzz targets, a package of their own: they need another build of PluginABI, with coverage, and none of the
// dependencies. `Tests/Fuzz/run` lays it out under .build/fuzz/package, where PluginABI and CAllocations are
// links to Sources/PluginABI and Tests/CAllocations.
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// One libFuzzer program per decoder.
func target(_ name: String) -> Target {
    .executableTarget(
        name: "fuzz-\(name.lowercased())", dependencies: ["Findings", "PluginABI", "JSONBytes"],
        path: "Sources/\(name)", swiftSettings: house)
}

let package = Package(
    name: "nexus-fuzz",
    targets: [
        .target(name: "JSONBytes", path: "PluginABI/JSON", swiftSettings: house),
        .target(
            name: "PluginABI", dependencies: ["JSONBytes"], path: "PluginABI", exclude: ["JSON"], swiftSettings: house),
        .target(name: "CAllocations", path: "CAllocations"),
        .target(name: "Findings", dependencies: ["CAllocations"], path: "Sources/Findings", swiftSettings: house),
        target("Frames"), target("Messages"), target("JSON"), target("Manifest"), target("Schema"),
    ]
)
