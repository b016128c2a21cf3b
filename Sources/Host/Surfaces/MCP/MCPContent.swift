internal import FoundationEssentials
internal import HostCore
internal import JSONBytes

/// The content blocks of a tool's result: its JSON as text, and its bytes as what their media type says.
enum MCPContent {
    static func blocks(_ result: ToolResult, json: JSONValue) -> [JSONValue] {
        [text(json.text)] + (result.content.map { [block($0, requestID: result.requestID)] } ?? [])
    }

    static func text(_ text: String) -> JSONValue { ["type": "text", "text": .string(text)] }

    private static func block(_ content: ToolContent, requestID: String) -> JSONValue {
        if let text = content.text { return self.text(text) }
        let data = JSONValue.string(Data(content.bytes).base64EncodedString())
        let mediaType = JSONValue.string(content.mediaType)
        switch content.mediaType.prefix(while: { $0 != "/" }) {
        case "image": return ["type": "image", "data": data, "mimeType": mediaType]
        case "audio": return ["type": "audio", "data": data, "mimeType": mediaType]
        default:
            // A resource has an address; this one can be read from nowhere else.
            let uri = JSONValue.string("nexus:answer/\(requestID)")
            return ["type": "resource", "resource": ["uri": uri, "mimeType": mediaType, "blob": data]]
        }
    }
}
