// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "template-name",
    dependencies: [.package(path: "../../swift")],
    targets: [
        .target(name: "TemplateNameTools", dependencies: [.product(name: "PluginSDK", package: "swift")]),
        .executableTarget(
            name: "template-name", dependencies: ["TemplateNameTools"],
            // The jail shows no file of the system, so the program holds all it needs; without symbols it is small.
            linkerSettings: [
                .unsafeFlags(["-static-executable"]),
                // What runs at the start lies side by side: a waiting plugin then takes a third less memory.
                .unsafeFlags([
                    "-use-ld=lld", "-Xlinker", "--symbol-ordering-file=../../swift/start.order",
                    "-Xlinker", "--no-warn-symbol-ordering",
                ]),
                .unsafeFlags(["-Xlinker", "-s"], .when(configuration: .release)),
            ]),
        .testTarget(
            name: "TemplateNameTests",
            dependencies: ["TemplateNameTools", .product(name: "PluginSDKTesting", package: "swift")]),
    ]
)
