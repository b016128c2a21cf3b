public import PluginABI
public import Sandbox

/// A plugin for a reviewer: its jail, and what the host does for it.
public enum PluginExplanation {
    /// - Parameters:
    ///   - python: as for `Confinement.policy`.
    ///   - offer: what the host that is to run it can enforce.
    /// - Throws: `JailError` with `policy` where this machine lacks what the plugin runs in.
    public static func explain(
        _ manifest: PluginManifest, python: PythonRuntime?, offer: HostOffer = .nexus
    ) throws(JailError) -> Explanation {
        let policy = try Confinement.policy(for: manifest, instance: manifest.name, python: python)
        let jail = try policy.explanation()
        let about: [Explanation.Entry] = [
            .init("name", manifest.name), .init("version", manifest.version), .init("says of itself", manifest.summary),
            .init("tools", manifest.tools.map(\.name).sorted().joined(separator: ", ")),
        ]
        return Explanation(
            sections: [
                .init("plugin", about), .init("network", network(manifest.permissions)),
                .init("host services", services(manifest.permissions)),
                .init("not enforced", shortfalls(manifest.unbounded(by: offer))),
                .init("refused at install", shortfalls(manifest.unsupported(by: offer))),
            ] + jail.sections)
    }

    private static func network(_ permissions: Permissions) -> [Explanation.Entry] {
        var entries: [Explanation.Entry] = []
        for rule in permissions.httpFetch {
            for path in rule.paths {
                entries.append(
                    .init(
                        "\(rule.methods.joined(separator: " ")) \(rule.origin)\(path)",
                        "asked of the host, as endpoint \(rule.endpoint): \(rule.reason)"))
            }
        }
        for rule in permissions.netConnect {
            entries.append(
                .init(
                    "a connection to \(rule.host):\(rule.port)",
                    "made by the host, which hands the socket over: \(rule.reason)"))
        }
        return entries
    }

    private static func services(_ permissions: Permissions) -> [Explanation.Entry] {
        var entries = permissions.credentials.map { use in
            Explanation.Entry(
                "the \(use.scope.rawValue) credential \(use.name)",
                use.delivery == .sealed ? "used by the host, never seen: \(use.reason)" : use.reason)
        }
        if let store = permissions.keyValue {
            entries.append(.init("a store of \(store.megabytes) MiB", store.reason))
        }
        for rule in permissions.filesystem {
            entries.append(.init("\(rule.access.rawValue) \(rule.path)", rule.reason))
        }
        return entries
    }

    private static func shortfalls(_ errors: [ManifestError]) -> [Explanation.Entry] {
        errors.map { .init($0.field, $0.reason) }
    }
}
