internal import JSONBytes

/// `tools` in plugin.json, kept as the program describes them. The rest of the file stays as its author wrote it.
struct ManifestTools {
    /// One line for each tool that is new, gone or different; empty when nothing is.
    let changes: [String]
    /// The whole file.
    let text: String

    /// What a program says of a tool; a title is the manifest's own where the program gives none.
    private static let kept = ["title"]

    /// - Throws: `CommandFailure` if the manifest is not a JSON object.
    init(manifest: String, described: [JSONValue]) throws(CommandFailure) {
        guard let root = try? JSONValue(parsing: manifest, limits: PluginProject.limits),
            root.objectValue != nil
        else {
            throw CommandFailure("plugin.json is not a JSON object")
        }
        let old = root.list("tools")
        let new = described.map { tool in
            Self.keeping(tool, from: Self.find(tool.shown("name"), in: old))
        }
        changes = Self.changes(from: old, to: new)
        text = changes.isEmpty ? manifest : try Self.replace(.array(new), in: manifest)
    }

    private static func find(_ name: String, in tools: [JSONValue]) -> JSONValue? {
        tools.first { $0["name"]?.stringValue == name }
    }

    private static func keeping(_ tool: JSONValue, from old: JSONValue?) -> JSONValue {
        guard let object = tool.objectValue, let old else { return tool }
        let missing = kept.filter { object[$0] == nil }.compactMap { name in
            old[name].map { (key: name, value: $0) }
        }
        guard let first = object.members.first else { return tool }
        return .object(JSONObject([first] + missing + object.members.dropFirst()))
    }

    private static func changes(from old: [JSONValue], to new: [JSONValue]) -> [String] {
        var lines: [String] = []
        for tool in new {
            let name = tool.shown("name")
            guard let before = find(name, in: old) else {
                lines.append("+ \(name)")
                continue
            }
            let names =
                (tool.objectValue?.members ?? []).map(\.key)
                + (before.objectValue?.members ?? []).map(\.key)
            var different: [String] = []
            for member in names where tool[member] != before[member] && !different.contains(member) {
                different.append(member)
            }
            if !different.isEmpty {
                lines.append("~ \(name): \(different.joined(separator: ", ").printable)")
            }
        }
        for tool in old where find(tool.shown("name"), in: new) == nil {
            lines.append("- \(tool.shown("name"))")
        }
        return lines
    }

    /// The manifest with another value for `tools`, everything else byte for byte.
    private static func replace(
        _ tools: JSONValue, in manifest: String
    ) throws(CommandFailure)
        -> String
    {
        let bytes = Array(manifest.utf8)
        let value = Array(JSONLayout.text(tools, indent: 1).utf8)
        let scan = MemberScan(bytes)
        if let range = scan.value(of: "tools") {
            return String(
                decoding: bytes[..<range.lowerBound] + value + bytes[range.upperBound...], as: UTF8.self)
        }
        guard let end = bytes.lastIndex(of: UInt8(ascii: "}")) else {
            throw CommandFailure("plugin.json has no end")
        }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        let kept = head.reversed().drop { $0.isWhitespace }.reversed()
        let comma = kept.last == "{" ? "" : ","
        return String(kept) + "\(comma)\n  \"tools\": \(String(decoding: value, as: UTF8.self))\n}\n"
    }
}

/// Finds the bytes of a member of the outermost object, in a document that is known to be JSON.
struct MemberScan {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// - Returns: where the value stands, without the space around it.
    func value(of name: String) -> Range<Int>? {
        var depth = 0
        var position = 0
        var key: String?
        var isKey = false
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let start = position
                position = endOfString(position)
                if depth == 1, isKey {
                    key = (try? JSONValue(parsing: Array(bytes[start..<position])))?.stringValue
                }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                isKey = depth == 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 1: isKey = true
            case UInt8(ascii: ":") where depth == 1:
                isKey = false
                if key == name { return trimmed(position + 1, endOfValue(position + 1)) }
            default: break
            }
            position += 1
        }
        return nil
    }

    private func endOfString(_ start: Int) -> Int {
        var position = start + 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position + 1, bytes.count)
    }

    /// The comma or brace that ends the value.
    private func endOfValue(_ start: Int) -> Int {
        var depth = 0
        var position = start
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position = endOfString(position)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}") where depth == 0: return position
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 0: return position
            default: break
            }
            position += 1
        }
        return position
    }

    private func trimmed(_ start: Int, _ end: Int) -> Range<Int> {
        let space: Set<UInt8> = [0x20, 0x0A, 0x0D, 0x09]
        var (low, high) = (start, end)
        while low < high, space.contains(bytes[low]) { low += 1 }
        while low < high, space.contains(bytes[high - 1]) { high -= 1 }
        return low..<high
    }
}
