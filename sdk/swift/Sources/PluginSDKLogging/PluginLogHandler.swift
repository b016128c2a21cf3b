// swift-log for plugins: an adapter, and the only target of the SDK that depends on a package.
public import Logging
public import PluginSDK

/// Writes the records of a swift-log `Logger` as log frames, with its metadata as their fields.
///
///     LoggingSystem.bootstrap { [journal = plugin.journal] in PluginLogHandler(label: $0, journal: journal) }
///     let logger = call.logger("orders")
public struct PluginLogHandler: LogHandler {
    public var logLevel: Logger.Level = .info
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let write: @Sendable (Message.LogLevel, String, JSONValue) -> Void

    /// Records that belong to no call.
    public init(label: String, journal: PluginJournal) {
        self.label = label
        write = { journal.log($0, $1, $2) }
    }

    /// Records of one call; after its end they go nowhere.
    public init(label: String, call: ToolCall) {
        self.label = label
        write = { call.log($0, $1, $2) }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let merged = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        var fields = JSONObject([("logger", .string(label))])
        for (name, value) in merged.sorted(by: { $0.key < $1.key }) { fields[name] = Self.json(value) }
        write(Self.level(event.level), "\(event.message)", .object(fields))
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string("\(value)")
        case .array(let values): .array(values.map(json))
        case .dictionary(let values):
            .object(JSONObject(values.sorted { $0.key < $1.key }.map { (key: $0.key, value: json($0.value)) }))
        }
    }

    private static func level(_ level: Logger.Level) -> Message.LogLevel {
        switch level {
        case .trace, .debug: .debug
        case .info, .notice: .info
        case .warning: .warning
        case .error, .critical: .error
        }
    }
}

extension ToolCall {
    /// A logger whose records belong to this call.
    public func logger(_ label: String) -> Logger {
        Logger(label: label) { PluginLogHandler(label: $0, call: self) }
    }
}
