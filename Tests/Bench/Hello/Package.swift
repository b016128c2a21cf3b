// swift-tools-version: 6.2
// The smallest plugins, for the bench: what a start costs, with waiting and with asynchronous tools.
import PackageDescription

let fullyStatic: [LinkerSetting] = [.unsafeFlags(["-static-executable"])]

let package = Package(
    name: "hello",
    dependencies: [.package(name: "nexus-plugin-sdk", path: "../../../sdk/swift")],
    targets: ["hello", "hello-async"].map { name in
        .executableTarget(
            name: name, dependencies: [.product(name: "PluginSDK", package: "nexus-plugin-sdk")],
            swiftSettings: [.swiftLanguageMode(.v6)], linkerSettings: fullyStatic)
    }
)
