import Foundation
import Testing

/// Rule 5: whoever reviews what can make a jail or an egress rule weaker searches for one word and finds these lines.
struct WeakeningTests {
    /// Lines that hand a weakening on, by file. A new one is a decision, made here as well.
    static let places: [String: Int] = [
        // the mount and the port that take one, the jail that records calls, and the one that shows paths
        "Sources/Sandbox/JailPolicy.swift": 4,
        // the proxy socket of `nexus sandbox run --allow-net`, and the paths of `--explain`
        "Sources/Sandbox/SandboxRun.swift": 2,
        "Sources/Host/Core/Sessions/PluginInstance.swift": 1,  // the paths of `nexus dev`
        "Sources/Sandbox/SandboxRecord.swift": 1,  // `nexus sandbox record`
        "Sources/Sandbox/SandboxRunOptions.swift": 1,  // `nexus sandbox run --bind SRC:DST`
        "Sources/Host/Egress/EgressAllowList.swift": 4,  // the rule that takes one
        "Sources/Host/Core/Egress/EgressPolicy.swift": 2,  // an endpoint, or a connection, that leads to loopback
        "Sources/Host/Core/Plugins/InstalledPlugin.swift": 2,  // an endpoint that leads to loopback
        "Sources/Host/Core/Plugins/PluginCatalog.swift": 1,  // the same, read from the database
        // one process for several users: `nexus plugin isolation`
        "Sources/Host/Core/Plugins/PluginCatalog+Choices.swift": 2,
        "Sources/Host/Surfaces/Admin/AdminAPI+Choices.swift": 1,
        "Sources/Host/Surfaces/Admin/AdminAPI+Plugins.swift": 1,  // the same, asked for by an admin
    ]

    @Test func weakeningsAreGrantedInTheKnownPlacesOnly() {
        for file in SourceTree.files("swift", in: ["Sources", "sdk", "Plugins"]) {
            let code = SwiftText.code(of: file.text).split(separator: "\n")
            let count = code.filter { $0.range(of: #"\bweakening\w*:"#, options: .regularExpression) != nil }.count
            #expect(count == Self.places[file.path] ?? 0, "\(file.path) grants \(count) weakenings")
        }
    }

    @Test func listedPlacesExist() {
        for path in Self.places.keys { #expect(SourceTree.file(path) != nil, "\(path) is gone") }
    }

    /// A plugin's own policy is built in one file, and that file weakens nothing.
    @Test func pluginsJailsAreNeverWeakened() throws {
        let builder = try #require(SourceTree.file("Sources/Host/Confinement/Confinement.swift"))
        #expect(!builder.text.contains("weakening") && builder.text.contains("profile: \"strict\""))
        #expect(!builder.text.contains("compat"))
    }
}
