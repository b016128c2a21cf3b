/// What a host can serve and enforce. A manifest may ask for more: it is valid, and this host refuses to install it.
public struct HostOffer: Sendable {
    /// Names as they stand under `permissions`.
    public var permissions: Set<String>
    public var kinds: Set<PluginManifest.Kind>
    public var runtimes: Set<PluginManifest.Runtime>
    public var isolations: Set<PluginManifest.Isolation>
    public var abi: VersionRange
    /// Whether `cpuPercent` is held to; it takes a delegated cgroup.
    public var boundsProcessorTime: Bool

    public init(
        permissions: Set<String>, kinds: Set<PluginManifest.Kind>, runtimes: Set<PluginManifest.Runtime>,
        isolations: Set<PluginManifest.Isolation>, abi: VersionRange, boundsProcessorTime: Bool
    ) {
        self.permissions = permissions
        self.kinds = kinds
        self.runtimes = runtimes
        self.isolations = isolations
        self.abi = abi
        self.boundsProcessorTime = boundsProcessorTime
    }

    /// What Nexus offers today.
    public static let nexus = HostOffer(
        permissions: ["http.fetch", "net.connect", "kv", "credentials", "resources"], kinds: [.tool],
        runtimes: [.native, .python], isolations: [.shared, .perUser, .perCall], abi: .supported,
        boundsProcessorTime: false)
}

extension PluginManifest {
    /// What the manifest declares and a host cannot enforce or serve, in words for its admin; the plugin must not be
    /// installed there unless this is empty. In the order of the manifest's fields.
    public func unsupported(by host: HostOffer) -> [ManifestError] {
        var found: [ManifestError] = []
        func note(_ field: String, _ reason: String) { found.append(ManifestError(field: field, reason: reason)) }
        if !host.kinds.contains(kind) {
            note(
                "kind",
                "this host does not run \(kind.rawValue) plugins yet; it runs: \(Self.list(host.kinds))")
        }
        if (try? host.abi.highestCommon(with: abi)) == nil {
            let older = abi.maximum < host.abi.minimum ? "the plugin" : "Nexus"
            note("abi", "this host speaks ABI \(host.abi), the plugin ABI \(abi); update \(older)")
        }
        if !host.runtimes.contains(runtime) {
            note(
                "runtime.type",
                "this host has no runtime \"\(runtime.rawValue)\"; it has: \(Self.list(host.runtimes))")
        }
        if !host.isolations.contains(isolation) {
            note(
                "isolation",
                "this host cannot keep \(isolation == .perUser ? "users" : "calls") apart in processes of their own "
                    + "(\"\(isolation.rawValue)\") yet; it offers: \(Self.list(host.isolations))")
        }
        for (field, name, what) in asked where !host.permissions.contains(name) {
            note(field, "this host cannot grant \(what) and hold the plugin to it yet; nothing is granted instead")
        }
        return found
    }

    /// What the manifest declares and a host takes without holding the plugin to it: shown, not refused.
    public func unbounded(by host: HostOffer) -> [ManifestError] {
        guard let percent = permissions.resources.cpuPercent, !host.boundsProcessorTime else { return [] }
        return [
            ManifestError(
                field: "permissions.resources.cpuPercent",
                reason: "processor time is not bounded on this host (it has no delegated cgroup); "
                    + "\(percent) % is what the plugin says that it needs")
        ]
    }

    /// Every permission that is asked for: its path, its name and what it is in words.
    private var asked: [(field: String, name: String, what: String)] {
        var all: [(field: String, name: String, what: String)] = []
        for (index, rule) in permissions.httpFetch.enumerated() {
            all.append(("permissions.http.fetch[\(index)]", "http.fetch", "requests to \(rule.origin)"))
        }
        for (index, rule) in permissions.netConnect.enumerated() {
            all.append(
                ("permissions.net.connect[\(index)]", "net.connect", "connections to \(rule.host):\(rule.port)"))
        }
        for (index, rule) in permissions.filesystem.enumerated() {
            all.append(
                ("permissions.filesystem[\(index)]", "filesystem", "\(rule.access.rawValue) access to \(rule.path)"))
        }
        if let store = permissions.keyValue {
            all.append(("permissions.kv", "kv", "a store of \(store.megabytes) MiB"))
        }
        for (index, use) in permissions.credentials.enumerated() {
            all.append(("permissions.credentials[\(index)]", "credentials", "the credential \(use.name)"))
        }
        if !permissions.resources.numbers.isEmpty {
            all.append(("permissions.resources", "resources", "these amounts of resources"))
        }
        return all
    }

    private static func list<Choice: RawRepresentable & CaseIterable & Hashable>(
        _ choices: Set<Choice>
    ) -> String where Choice.RawValue == String {
        Choice.allCases.filter(choices.contains).map(\.rawValue).joined(separator: ", ")
    }
}
