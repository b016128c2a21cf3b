internal import JSONBytes

/// From JSON to `PluginManifest`, field by field.
enum ManifestReader {
    static func manifest(_ root: ManifestField) throws(ManifestError) -> PluginManifest {
        try root.allow(only: [
            "manifest", "name", "version", "kind", "description", "publisher", "license", "homepage", "abi", "runtime",
            "isolation", "concurrency", "permissions", "tools", "$schema",
        ])
        _ = try root.required("manifest").integer(in: 1...1)
        let kind = try root.required("kind").choice(of: PluginManifest.Kind.self)
        let runtime = try root.required("runtime")
        try runtime.allow(only: ["type", "executable", "arguments"])
        let permissions = try root.optional("permissions").map(permissions) ?? Permissions()
        if let schema = root.optional("$schema") { _ = try schema.text() }
        return PluginManifest(
            name: try root.required("name").name(), version: try version(root.required("version")), kind: kind,
            summary: try root.required("description").text(limit: ManifestLimits.description),
            publisher: try root.optional("publisher")?.text(limit: ManifestLimits.label),
            license: try root.optional("license")?.text(limit: ManifestLimits.label),
            homepage: try root.optional("homepage").map(homepage), abi: try versions(root.required("abi")),
            runtime: try runtime.optional("type")?.choice(of: PluginManifest.Runtime.self) ?? .native,
            executable: try executable(runtime.required("executable")),
            arguments: try runtime.items("arguments", limit: ManifestLimits.arguments).mapTyped {
                (field) throws(ManifestError) in try field.text(limit: ManifestLimits.argument)
            },
            isolation: try root.optional("isolation")?.choice(of: PluginManifest.Isolation.self) ?? .shared,
            concurrency: try root.optional("concurrency")?.integer(in: 1...ManifestLimits.concurrency) ?? 1,
            permissions: permissions, tools: try tools(root, of: kind, permissions))
    }

    private static func tools(
        _ root: ManifestField, of kind: PluginManifest.Kind, _ permissions: Permissions
    ) throws(ManifestError) -> [PluginManifest.Tool] {
        let known = Set(permissions.credentials.map(\.name))
        var tools: [PluginManifest.Tool] = []
        for field in try root.items("tools", limit: ManifestLimits.tools) {
            let tool = try tool(field, credentials: known)
            guard !tools.contains(where: { $0.name == tool.name }) else {
                throw field.refuse("the tool \"\(tool.name)\" is declared twice")
            }
            tools.append(tool)
        }
        if kind == .tool, tools.isEmpty {
            throw ManifestError(field: "tools", reason: "a tool plugin declares at least one tool")
        }
        if kind == .authentication, !tools.isEmpty {
            throw ManifestError(
                field: "tools", reason: "an authentication plugin declares no tools: it serves authenticate and no more"
            )
        }
        return tools
    }

    private static func version(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: ManifestLimits.version)
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

    /// A page for people: shown, never fetched.
    private static func homepage(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: ManifestLimits.homepage)
        guard text.hasPrefix("https://"), text.utf8.count > 8, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw field.refuse("\"\(text)\" must be an https:// address in plain ASCII without spaces")
        }
        return text
    }

    private static func versions(_ field: ManifestField) throws(ManifestError) -> VersionRange {
        try field.allow(only: ["min", "max"])
        let minimum = try field.required("min").integer(in: 1...ManifestLimits.abiVersion)
        let maximum = try field.required("max").integer(in: minimum...ManifestLimits.abiVersion)
        return VersionRange(UInt32(minimum), UInt32(maximum))
    }

    /// A path that means the same to the kernel, to tar and to a shell.
    private static func executable(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: ManifestLimits.executableBytes)
        guard isPlain(parts: text.utf8[...]) else {
            throw field.refuse("\"\(text)\" must be a path inside the plugin's directory, without . or ..")
        }
        guard text.utf8.allSatisfy({ isAlphanumeric($0) || "/._+-".utf8.contains($0) }) else {
            throw field.refuse("\"\(text)\" must have letters, digits and . _ + - / only; rename the file")
        }
        guard !["plugin.json", "README.md", "LICENSE"].contains(text) else {
            throw field.refuse("\"\(text)\" has another meaning in a bundle; put the program elsewhere, such as bin/")
        }
        return text
    }

    /// By bytes, as the kernel splits: a combining mark makes another Character of a slash, but not another path.
    static func isPlain(parts path: Substring.UTF8View) -> Bool {
        path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
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
