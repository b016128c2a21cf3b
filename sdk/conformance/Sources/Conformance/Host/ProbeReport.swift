internal import JSONBytes
internal import PluginABI

/// What the probe saw of its host.
struct ProbeReport: Sendable {
    /// One frame of the host.
    struct Frame: Sendable {
        /// Unix milliseconds by the probe's clock.
        var at: UInt64
        var kind: UInt8
        var stream: UInt64
        var bytes: Int
        /// Whether its fields fill its body.
        var isWhole: Bool
        /// The first 1,024 bytes of each field.
        var fields: [UInt16: [UInt8]]
        var credentials: [String]

        func text(_ tag: UInt16) -> String? { fields[tag].map { String(decoding: $0, as: UTF8.self) } }

        func number(_ tag: UInt16) -> UInt64? {
            fields[tag].map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        }
    }

    var arguments: [String]
    var environment: [String]
    var descriptors: [Int: String]
    var input: String
    /// Whether descriptor 3 is a stream socket of AF_UNIX.
    var isUnixStream: Bool
    var hasFolder: Bool
    var canWriteScratch: Bool
    /// Where a credential was found but in its field.
    var secretsSeen: [String]
    var now: UInt64
    var frames: [Frame]

    func frames(_ kind: FrameKind) -> [Frame] { frames.filter { $0.kind == kind.rawValue } }

    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes), let frames = json["frames"]?.arrayValue else { return nil }
        let texts = { (name: String) in (json[name]?.arrayValue ?? []).compactMap(\.stringValue) }
        arguments = texts("argv")
        environment = texts("environment")
        secretsSeen = texts("secretsSeen")
        let open = json["descriptors"]?.arrayValue ?? []
        descriptors = Dictionary(
            open.map { ($0["fd"]?.intValue ?? -1, $0["type"]?.stringValue ?? "") },
            uniquingKeysWith: { first, _ in first })
        input = json["input"]?.stringValue ?? ""
        isUnixStream = json["socket"]?["family"]?.intValue == 1 && json["socket"]?["type"]?.intValue == 1
        hasFolder = json["cwd"]?.boolValue == true
        canWriteScratch = json["tmp"]?.boolValue == true
        now = UInt64(json["now"]?.intValue ?? 0)
        self.frames = frames.map(Frame.init)
    }
}

extension ProbeReport.Frame {
    fileprivate init(_ json: JSONValue) {
        at = UInt64(json["at"]?.intValue ?? 0)
        kind = UInt8(truncatingIfNeeded: json["kind"]?.intValue ?? 0)
        stream = json["stream"]?.stringValue.flatMap { UInt64($0) } ?? 0
        bytes = json["bytes"]?.intValue ?? 0
        isWhole = json["whole"]?.boolValue == true
        credentials = (json["credentials"]?.arrayValue ?? []).compactMap { $0.arrayValue?.first?.stringValue }
        fields = [:]
        for field in json["fields"]?.arrayValue ?? [] {
            guard let parts = field.arrayValue, parts.count == 3, let tag = parts[0].intValue else { continue }
            fields[UInt16(truncatingIfNeeded: tag)] = HostBytes.bytes(ofHex: parts[2].stringValue ?? "")
        }
    }
}
