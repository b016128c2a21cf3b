internal import JSONBytes
internal import PluginABI

/// What an administrator set for one plugin; nil leaves the standard.
public struct PluginSettings: Sendable, Equatable {
    /// Started processes that are kept ready while the plugin is in use.
    public var warm: Int?
    /// Processes at once. A plugin with isolation `shared` has one, whatever stands here.
    public var instances: Int?
    /// A process that served nobody for so long is stopped.
    public var idleSeconds: Int?
    /// Calls that may wait.
    public var queued: Int?
    /// How long a failure of a new version brings the old one back, unless the upgrade says otherwise.
    public var probationSeconds: Int?

    public init() {}

    static let fields: [SettingsField<PluginSettings>] = [
        SettingsField("warm", HostLimits.settableWarm) { $0.warm = $1 },
        SettingsField("instances", HostLimits.settableInstances) { $0.instances = $1 },
        SettingsField("idleSeconds", HostLimits.settableIdleSeconds) { $0.idleSeconds = $1 },
        SettingsField("queued", HostLimits.settableQueued) { $0.queued = $1 },
        SettingsField("probationSeconds", HostLimits.settableProbationSeconds) { $0.probationSeconds = $1 },
    ]
}

/// The settings of a host: what nexus.json says, and the standard for the rest. docs/SUPERVISOR.md lists the fields.
public struct HostConfiguration: Sendable, Equatable {
    public var budget: HostBudget
    public var plugins: [String: PluginSettings]
    /// Taken when the host starts, and not again.
    public var secretForm: SecretFormSettings?

    public init(budget: HostBudget = .standard, plugins: [String: PluginSettings] = [:]) {
        self.budget = budget
        self.plugins = plugins
    }

    public static let standard = HostConfiguration()

    /// - Throws: `invalidConfiguration` with the field's path, what was found and what is allowed; or, for what is no
    ///   JSON (RFC 8259, read strictly), with the place.
    public init(parsing bytes: [UInt8]) throws(HostError) {
        let root: JSONValue
        do {
            root = try JSONValue(parsing: bytes, limits: HostLimits.configuration)
        } catch {
            throw HostError(.invalidConfiguration, "it is not JSON: \(error)")
        }
        self.init()
        for (name, value) in try members(root, "the file", known: ["budget", "plugins", "secretForm"]) {
            switch name {
            case "budget": try read(value, "budget", HostBudget.fields, into: &budget)
            case "secretForm": secretForm = try SecretFormSettings(value)
            default: plugins = try Self.plugins(value)
            }
        }
    }

    private static func plugins(_ value: JSONValue) throws(HostError) -> [String: PluginSettings] {
        var plugins: [String: PluginSettings] = [:]
        for (name, value) in try members(value, "plugins", known: nil) {
            guard isPluginName(name) else {
                throw HostError(
                    .invalidConfiguration,
                    "plugins has the member \(JSONValue.quoted(String(name.prefix(100)))), which is no plugin's name: "
                        + "1 to \(ManifestLimits.name) of a–z, 0–9, _ and -, starting with a letter")
            }
            var settings = PluginSettings()
            try read(value, "plugins.\(name)", PluginSettings.fields, into: &settings)
            plugins[name] = settings
        }
        return plugins
    }

    /// As a manifest's name (manifest-v1.md).
    private static func isPluginName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return name.utf8.count <= ManifestLimits.name
            && name.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_-".utf8.contains($0) }
    }
}

/// What differs between two configurations, for people.
public struct ConfigurationChange: Sendable, Equatable {
    /// Plugins whose settings are others now.
    public var changed: [String]
    /// Installed plugins whose settings are as before.
    public var unchanged: Int
    public var budgetChanged: Bool
    /// Plugins with settings that are not installed: misspelt, or not there yet.
    public var notInstalled: [String]

    init(from old: HostConfiguration, to new: HostConfiguration, installed: Set<String>) {
        let names = Set(old.plugins.keys).union(new.plugins.keys)
        let none = PluginSettings()
        changed = names.filter { (old.plugins[$0] ?? none) != (new.plugins[$0] ?? none) }.sorted()
        unchanged = installed.subtracting(changed).count
        budgetChanged = old.budget != new.budget
        notInstalled = new.plugins.keys.filter { !installed.contains($0) }.sorted()
    }
}

extension HostBudget {
    static let fields: [SettingsField<HostBudget>] = [
        SettingsField("processes", HostLimits.settableProcesses) { $0.processes = $1 },
        SettingsField("memoryMegabytes", HostLimits.settableMegabytes) { $0.memoryBytes = UInt64($1) << 20 },
    ]
}

/// A bounded number in an object of nexus.json.
struct SettingsField<Settings>: Sendable {
    var name: String
    var range: ClosedRange<Int>
    var set: @Sendable (inout Settings, Int) -> Void

    init(_ name: String, _ range: ClosedRange<Int>, _ set: @escaping @Sendable (inout Settings, Int) -> Void) {
        (self.name, self.range, self.set) = (name, range, set)
    }
}

private func read<Settings>(
    _ value: JSONValue, _ path: String, _ fields: [SettingsField<Settings>], into settings: inout Settings
) throws(HostError) {
    for (name, value) in try members(value, path, known: fields.map(\.name)) {
        guard let field = fields.first(where: { $0.name == name }) else { continue }
        guard let number = value.intValue, field.range.contains(number) else {
            throw HostError(
                .invalidConfiguration,
                "\(path).\(name) must be an integer from \(field.range.lowerBound) to \(field.range.upperBound), "
                    + "found \(value.text.prefix(40))")
        }
        field.set(&settings, number)
    }
}

private func members(
    _ value: JSONValue, _ path: String, known: [String]?
) throws(HostError) -> [(key: String, value: JSONValue)] {
    guard let object = value.objectValue else {
        throw HostError(.invalidConfiguration, "\(path) must be an object, found \(value.typeName)")
    }
    if let known, let stranger = object.members.first(where: { !known.contains($0.key) }) {
        throw HostError(
            .invalidConfiguration,
            "\(path) has the unknown member \(JSONValue.quoted(String(stranger.key.prefix(100)))); known there: "
                + known.joined(separator: ", "))
    }
    return object.members
}
