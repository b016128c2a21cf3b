internal import JSONBytes

extension ManifestReader {
    static func permissions(_ field: ManifestField) throws(ManifestError) -> Permissions {
        try field.allow(
            only: ["http.fetch", "net.connect", "filesystem", "kv", "credentials", "resources"], calledA: "permission")
        let limit = ManifestLimits.permissionEntries
        var permissions = Permissions()
        permissions.httpFetch = try field.items("http.fetch", limit: limit).mapTyped(httpFetch)
        permissions.netConnect = try field.items("net.connect", limit: limit).mapTyped(netConnect)
        permissions.filesystem = try field.items("filesystem", limit: limit).mapTyped(fileAccess)
        permissions.keyValue = try field.optional("kv").map(keyValue)
        permissions.credentials = try field.items("credentials", limit: limit).mapTyped(credential)
        if let resources = field.optional("resources") { permissions.resources = try self.resources(resources) }
        try refuseRepeats(permissions.httpFetch.map(\.endpoint), field: "permissions.http.fetch")
        try refuseRepeats(permissions.netConnect.map { "\($0.host):\($0.port)" }, field: "permissions.net.connect")
        try refuseRepeats(permissions.filesystem.map(\.path), field: "permissions.filesystem")
        try refuseRepeats(permissions.credentials.map(\.name), field: "permissions.credentials")
        try check(sealed: permissions)
        return permissions
    }

    /// What the admin reads before granting.
    private static func reason(_ field: ManifestField) throws(ManifestError) -> String {
        guard let reason = field.optional("reason") else {
            throw ManifestError(
                field: "\(field.path).reason", reason: "is missing; say for the admin what the plugin needs this for")
        }
        return try reason.text(limit: ManifestLimits.reason)
    }

    private static func httpFetch(_ field: ManifestField) throws(ManifestError) -> Permissions.HTTPFetch {
        try field.allow(only: ["endpoint", "origin", "methods", "paths", "sealed", "reason"])
        let methods = try field.required("methods").distinct { (item) throws(ManifestError) in
            let method = try item.text(limit: 16)
            guard ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(method) else {
                throw item.refuse("\"\(method)\" is not one of GET, HEAD, POST, PUT, PATCH, DELETE")
            }
            return method
        }
        let paths = try field.required("paths").distinct(limit: ManifestLimits.methodsAndPaths, pathPrefix)
        guard !methods.isEmpty, !paths.isEmpty else {
            throw field.refuse("methods and paths must each name at least one; an empty list allows nothing")
        }
        return Permissions.HTTPFetch(
            endpoint: try field.required("endpoint").name(), origin: try origin(field.required("origin")),
            methods: methods, paths: paths, sealed: try sealedUses(field), reason: try reason(field))
    }

    /// Not `contains("//")`: to look for a text in a text links two megabytes of regular expressions into every plugin.
    private static func hasEmptyPart(_ path: String) -> Bool {
        zip(path.utf8, path.utf8.dropFirst()).contains { $0 == UInt8(ascii: "/") && $1 == UInt8(ascii: "/") }
    }

    private static func pathPrefix(_ field: ManifestField) throws(ManifestError) -> String {
        let path = try field.text(limit: ManifestLimits.path)
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = path.utf8.allSatisfy { ManifestReader.isAlphanumeric($0) || pathMarks.contains($0) }
        guard isPlain, path.hasPrefix("/"), path.hasSuffix("/"), path == "/" || !hasEmptyPart(path),
            !parts.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
        else { throw field.refuse("\"\(path)\" must be a plain path that starts and ends with /") }
        return path
    }

    /// What a path segment may hold besides letters and digits (RFC 3986 section 3.3), without % and ; that servers
    /// read in more than one way.
    private static let pathMarks = Set("/-._~!$&'()*+,=:@".utf8)

    /// `https://host[:port]`: lower case, a DNS name, no user, path, query or address literal.
    private static func origin(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: ManifestLimits.originCharacters)
        guard let origin = Origin(text), origin.isDNSName else {
            throw field.refuse("\"\(text)\" must be https:// and a lower-case DNS name, with :port if it is not 443")
        }
        return origin.description
    }

    private static func credential(_ field: ManifestField) throws(ManifestError) -> Permissions.CredentialUse {
        try field.allow(only: ["name", "scope", "delivery", "reason"])
        return Permissions.CredentialUse(
            name: try field.required("name").name(),
            scope: try field.required("scope").choice(of: Permissions.CredentialUse.Scope.self),
            delivery: try field.optional("delivery")?.choice(of: Permissions.Delivery.self) ?? .call,
            reason: try reason(field))
    }

    private static func netConnect(_ field: ManifestField) throws(ManifestError) -> Permissions.NetConnect {
        try field.allow(only: ["host", "port", "reason"])
        let host = try field.required("host")
        let name = try host.text(limit: 253)
        guard let origin = Origin("https://\(name)"), origin.isDNSName, origin.host == name else {
            throw host.refuse("\"\(name)\" must be a lower-case DNS name; the port has a field of its own")
        }
        return Permissions.NetConnect(
            host: name, port: try field.required("port").integer(in: 1...65_535), reason: try reason(field))
    }

    private static func fileAccess(_ field: ManifestField) throws(ManifestError) -> Permissions.FileAccess {
        try field.allow(only: ["path", "access", "reason"])
        let path = try field.required("path")
        let text = try path.text(limit: ManifestLimits.path)
        guard text.utf8.first == UInt8(ascii: "/"), isPlain(parts: text.utf8.dropFirst()) else {
            throw path.refuse(
                "\"\(text)\" must be absolute and plain: without . or .., empty parts or a slash at the end")
        }
        let top = text.utf8.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        guard !["dev", "proc", "sys", "tmp"].contains(String(Substring(top))) else {
            throw path.refuse("\"\(text)\" cannot be had: the jail has a /dev, /proc, /sys and /tmp of its own or none")
        }
        return Permissions.FileAccess(
            path: text, access: try field.required("access").choice(of: Permissions.FileAccess.Access.self),
            reason: try reason(field))
    }

    private static func keyValue(_ field: ManifestField) throws(ManifestError) -> Permissions.KeyValue {
        try field.allow(only: ["megabytes", "reason"])
        return Permissions.KeyValue(
            megabytes: try field.required("megabytes").integer(in: 1...ManifestLimits.keyValueMegabytes),
            reason: try reason(field))
    }

    private static func resources(_ field: ManifestField) throws(ManifestError) -> Permissions.Resources {
        try field.allow(
            only: ["memoryMegabytes", "processes", "openFiles", "cpuPercent", "temporaryMegabytes", "reason"],
            calledA: "resource")
        func number(_ name: String, _ range: ClosedRange<Int>) throws(ManifestError) -> Int? {
            try field.optional(name)?.integer(in: range)
        }
        return Permissions.Resources(
            memoryMegabytes: try number("memoryMegabytes", ManifestLimits.memoryMegabytes),
            processes: try number("processes", ManifestLimits.processes),
            openFiles: try number("openFiles", ManifestLimits.openFiles),
            cpuPercent: try number("cpuPercent", ManifestLimits.cpuPercent),
            temporaryMegabytes: try number("temporaryMegabytes", ManifestLimits.temporaryMegabytes),
            reason: try reason(field))
    }

    private static func refuseRepeats(_ names: [String], field: String) throws(ManifestError) {
        for (position, name) in names.enumerated() where names.firstIndex(of: name) != position {
            throw ManifestError(field: "\(field)[\(position)]", reason: "\"\(name)\" is declared twice")
        }
    }
}
