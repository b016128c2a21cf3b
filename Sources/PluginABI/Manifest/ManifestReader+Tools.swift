internal import JSONBytes

extension ManifestReader {
    static func tool(_ field: ManifestField, credentials: Set<String>) throws(ManifestError) -> PluginManifest.Tool {
        try field.allow(only: [
            "name", "title", "description", "inputSchema", "outputSchema", "annotations", "credentials", "content",
        ])
        let input = try field.required("inputSchema")
        try check(schema: input)
        guard input.value["type"]?.stringValue == "object" else {
            throw input.refuse("the input schema of a tool has \"type\": \"object\"")
        }
        let output = field.optional("outputSchema")
        if let output { try check(schema: output) }
        let annotations = field.optional("annotations")
        if let annotations { try check(annotations: annotations) }
        let used = try field.optional("credentials")?.distinct { (item) throws(ManifestError) in
            let name = try item.name()
            guard credentials.contains(name) else {
                throw item.refuse("\"\(name)\" is not declared under permissions.credentials")
            }
            return name
        }
        guard (used?.count ?? 0) <= ABILimits.credentialsPerCall else {
            throw field.refuse("a call carries at most \(ABILimits.credentialsPerCall) credentials")
        }
        return PluginManifest.Tool(
            name: try field.required("name").name(),
            title: try field.optional("title")?.text(limit: ManifestLimits.label),
            description: try field.required("description").text(limit: ManifestLimits.toolDescription),
            inputSchema: input.value, outputSchema: output?.value, annotations: annotations?.value,
            credentials: used ?? [], content: try field.optional("content").map(mediaType))
    }

    private static func check(schema: ManifestField) throws(ManifestError) {
        do {
            _ = try JSONSchema(schema.value)
        } catch {
            throw ManifestError(field: schema.path + error.path, reason: error.reason)
        }
    }

    /// The hints of MCP 2025-06-18. A misspelt hint would pass unseen, and agents ask people less because of hints.
    private static func check(annotations field: ManifestField) throws(ManifestError) {
        let hints = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]
        try field.allow(only: Set(hints + ["title"]), calledA: "annotation")
        _ = try field.optional("title")?.text(limit: ManifestLimits.label)
        for hint in hints {
            guard let hint = field.optional(hint), hint.value.boolValue == nil else { continue }
            throw hint.refuse("must be true or false, found \(hint.value.typeName)")
        }
    }

    /// `type/subtype` in lower case, names as in RFC 6838 section 4.2, no parameters: text is UTF-8.
    private static func mediaType(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: ManifestLimits.mediaTypeBytes)
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            guard let first = part.first, isAlphanumeric(first) else { return false }
            return part.allSatisfy { (isAlphanumeric($0) || "!#$&^_.+-".utf8.contains($0)) && !isUpperCase($0) }
        }
        guard parts.count == 2, isPlain else {
            throw field.refuse("\"\(text)\" is not a media type such as text/plain, in lower case, without parameters")
        }
        return text
    }

    private static func isUpperCase(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
}
