// swift-tools-version: 6.2
// The smallest plugins, for the bench: what a start costs, with waiting and with asynchronous tools.
import PackageDescription

/// As in sdk/templates/swift.
let fullyStatic: [LinkerSetting] = [
    .unsafeFlags(["-static-executable"]),
    .unsafeFlags([
        "-use-ld=lld", "-Xlinker", "--symbol-ordering-file=../../../sdk/swift/start.order",
        "-Xlinker", "--no-warn-symbol-ordering",
    ]),
]

let package = Package(
    name: "hello",
    dependencies: [.package(name: "nexus-plugin-sdk", path: "../../../sdk/swift")],
    targets: ["hello", "hello-async"].map { name in
        .executableTarget(
            name: name, dependencies: [.product(name: "PluginSDK", package: "nexus-plugin-sdk")],
            swiftSettings: [.swiftLanguageMode(.v6)], linkerSettings: fullyStatic)
    }
)
