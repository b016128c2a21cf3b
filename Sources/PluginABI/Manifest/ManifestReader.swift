internal import JSONBytes

/// From JSON to `PluginManifest`, field by field.
enum ManifestReader {
    static func manifest(_ root: ManifestField) throws(ManifestError) -> PluginManifest {
        try root.allow(only: [
            "manifest", "name", "version", "kind", "description", "abi", "runtime", "permissions", "tools", "$schema",
        ])
        _ = try root.required("manifest").integer(in: 1...1)
        let permissions = try root.optional("permissions").map(permissions) ?? Permissions()
        let runtime = try root.required("runtime")
        try runtime.allow(only: ["executable", "arguments"])
        var manifest = PluginManifest(
            name: try root.required("name").name(), version: try version(root.required("version")),
            kind: try root.required("kind").choice(of: PluginManifest.Kind.self),
            summary: try root.required("description").text(limit: 300), abi: try versions(root.required("abi")),
            executable: try relativePath(runtime.required("executable")),
            arguments: try runtime.items("arguments").mapTyped { (field) throws(ManifestError) in try field.text() },
            permissions: permissions, tools: [])
        let known = Set(permissions.credentials.map(\.name))
        for field in try root.items("tools") {
            let tool = try tool(field, credentials: known)
            guard !manifest.tools.contains(where: { $0.name == tool.name }) else {
                throw field.refuse("the tool \"\(tool.name)\" is declared twice")
            }
            manifest.tools.append(tool)
        }
        if manifest.kind == .tool, manifest.tools.isEmpty {
            throw ManifestError(field: "tools", reason: "a tool plugin declares at least one tool")
        }
        return manifest
    }

    private static func version(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: 64)
        let core = text.utf8.prefix { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") }
        let numbers = core.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let suffix = text.utf8[core.endIndex...]
        guard numbers.count == 3, numbers.allSatisfy(isNumber), isVersionSuffix(suffix) else {
            throw field.refuse("\"\(text)\" is not a semantic version such as 1.4.0")
        }
        return text
    }

    /// Digits without a leading zero, within 32 bits.
    private static func isNumber(_ digits: Substring.UTF8View) -> Bool {
        let text = Substring(digits)
        return UInt32(text).map { String($0) == text } ?? false
    }

    /// `-rc.1`, `+build.7` or both: non-empty identifiers of letters, digits and hyphens (semver.org 2.0.0, 9 and 10).
    /// A version becomes part of paths, so nothing else gets through.
    private static func isVersionSuffix(_ suffix: Substring.UTF8View) -> Bool {
        guard let mark = suffix.first else { return true }
        let parts = suffix.dropFirst().split(
            separator: UInt8(ascii: "+"), maxSplits: mark == UInt8(ascii: "-") ? 1 : 0, omittingEmptySubsequences: false
        )
        return parts.allSatisfy { part in
            part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { identifier in
                !identifier.isEmpty && identifier.allSatisfy { $0 == UInt8(ascii: "-") || isAlphanumeric($0) }
            }
        }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func versions(_ field: ManifestField) throws(ManifestError) -> VersionRange {
        try field.allow(only: ["min", "max"])
        let minimum = try field.required("min").integer(in: 1...1_000)
        let maximum = try field.required("max").integer(in: minimum...1_000)
        return VersionRange(UInt32(minimum), UInt32(maximum))
    }

    private static func relativePath(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: 255)
        // By bytes, as the kernel splits: a combining mark makes another Character of a slash, but not another path.
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }) else {
            throw field.refuse("\"\(text)\" must be a path inside the plugin's directory, without . or ..")
        }
        return text
    }

    private static func tool(
        _ field: ManifestField, credentials: Set<String>
    ) throws(ManifestError)
        -> PluginManifest.Tool
    {
        try field.allow(only: [
            "name", "title", "description", "inputSchema", "outputSchema", "annotations", "credentials",
        ])
        let schema = try field.required("inputSchema")
        try check(schema)
        let output = field.optional("outputSchema")
        if let output { try check(output) }
        let annotations = field.optional("annotations")
        if let annotations, annotations.value.objectValue == nil {
            throw annotations.refuse("must be an object, found \(annotations.value.typeName)")
        }
        guard schema.value["type"]?.stringValue == "object" else {
            throw schema.refuse("the input schema of a tool has \"type\": \"object\"")
        }
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
            name: try field.required("name").name(), title: try field.optional("title")?.text(limit: 100),
            description: try field.required("description").text(limit: 2_000), inputSchema: schema.value,
            outputSchema: output?.value, annotations: annotations?.value, credentials: used ?? [])
    }

    private static func check(_ schema: ManifestField) throws(ManifestError) {
        do {
            _ = try JSONSchema(schema.value)
        } catch {
            throw ManifestError(field: schema.path + error.path, reason: error.reason)
        }
    }
}

extension Array {
    /// `map` that keeps the error's type.
    func mapTyped<Result, Failure: Error>(_ body: (Element) throws(Failure) -> Result) throws(Failure) -> [Result] {
        var results: [Result] = []
        results.reserveCapacity(count)
        for element in self { results.append(try body(element)) }
        return results
    }
}
