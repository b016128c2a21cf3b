public import JSONBytes
internal import Sandbox

/// What is known of one death: enough to find its reason later, and nothing of what callers sent or got.
public struct Incident: Sendable, Equatable {
    /// Rises by one; never used again.
    public var id: Int64
    /// Unix milliseconds.
    public var time: UInt64
    /// Nil for nexus-jail itself, whose end takes every jail with it.
    public var plugin: String?
    public var version: String?
    public var instance: String?
    /// An error code of the host.
    public var code: String
    /// In words, without secrets.
    public var cause: String
    public var remains: Remains

    /// What an instance left behind.
    public struct Remains: Sendable, Equatable {
        /// Where it was in its life, by abi-v1.md section 6; nil if its jail was not built.
        public var state: String?
        /// How its process ended, and the limit that had to do with it; nil where the host ended it, or never knew.
        public var end: String?
        public var signal: Int?
        public var exitCode: Int?
        /// `memory`, `processes`, `file` or `processor`.
        public var limit: String?
        /// From the start of its jail to its end, in milliseconds.
        public var uptimeMilliseconds: UInt64?
        /// Kinds of the last frames, oldest first.
        public var received: [String] = []
        public var sent: [String] = []
        /// Request ids of the calls that were open.
        public var calls: [String] = []
        /// Its last lines on standard error, without secrets.
        public var standardError: [String] = []
        /// The layers of its jail, as `JailReport.json`.
        public var layers: JSONValue?

        /// Its jail was killed from outside: with nexus-jail, or by somebody who may.
        public var isLost = false

        public init() {}
    }

    public var json: JSONValue {
        var object = remains.object
        object["id"] = JSONValue(Int(id))
        object["time"] = JSONValue(Int(time))
        object["plugin"] = JSONValue(plugin)
        object["version"] = JSONValue(version)
        object["instance"] = JSONValue(instance)
        object["code"] = .string(code)
        object["cause"] = .string(cause)
        return .object(object)
    }
}

extension Incident.Remains {
    init(_ jail: JailEnd?) {
        end = jail.map { "\($0)" }
        switch jail?.exit {
        case .exited(let code): exitCode = Int(code)
        case .signalled(let number): signal = Int(number)
        case .lost: isLost = jail?.cause == nil
        case nil: break
        }
        switch jail?.cause {
        case .memoryLimit: limit = "memory"
        case .processLimit: limit = "processes"
        case .fileLimit: limit = "file"
        case .processorTime: limit = "processor"
        case nil: break
        }
    }

    /// What is stored; `init(_:)` reads it.
    var object: JSONObject {
        var object = JSONObject()
        object["state"] = JSONValue(state)
        object["end"] = JSONValue(end)
        object["signal"] = signal.map { JSONValue($0) } ?? .null
        object["exitCode"] = exitCode.map { JSONValue($0) } ?? .null
        object["limit"] = JSONValue(limit)
        object["lost"] = .bool(isLost)
        object["uptimeMilliseconds"] = uptimeMilliseconds.map { JSONValue(Int(clamping: $0)) } ?? .null
        object["received"] = JSONValue(received)
        object["sent"] = JSONValue(sent)
        object["calls"] = JSONValue(calls)
        object["standardError"] = JSONValue(standardError)
        object["layers"] = layers ?? .null
        return object
    }

    init(_ json: JSONValue) {
        state = json["state"]?.stringValue
        end = json["end"]?.stringValue
        signal = json["signal"]?.intValue
        exitCode = json["exitCode"]?.intValue
        limit = json["limit"]?.stringValue
        isLost = json["lost"]?.boolValue ?? false
        uptimeMilliseconds = json["uptimeMilliseconds"]?.intValue.flatMap { UInt64(exactly: $0) }
        received = Self.texts(json["received"])
        sent = Self.texts(json["sent"])
        calls = Self.texts(json["calls"])
        standardError = Self.texts(json["standardError"])
        if let given = json["layers"], given != .null { layers = given }
    }

    private static func texts(_ json: JSONValue?) -> [String] { json?.arrayValue?.compactMap(\.stringValue) ?? [] }
}
