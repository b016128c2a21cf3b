internal import JSONBytes

extension ManifestReader {
    static func permissions(_ field: ManifestField) throws(ManifestError) -> Permissions {
        try field.allow(only: ["http.fetch", "credentials", "resources"], calledA: "permission")
        var permissions = Permissions()
        permissions.httpFetch = try field.items("http.fetch").mapTyped(httpFetch)
        permissions.credentials = try field.items("credentials").mapTyped(credential)
        if let resources = field.optional("resources") { permissions.resources = try self.resources(resources) }
        try refuseRepeats(permissions.httpFetch.map(\.endpoint), field: "permissions.http.fetch")
        try refuseRepeats(permissions.credentials.map(\.name), field: "permissions.credentials")
        return permissions
    }

    private static func httpFetch(_ field: ManifestField) throws(ManifestError) -> Permissions.HTTPFetch {
        try field.allow(only: ["endpoint", "origin", "methods", "paths", "reason"])
        let methods = try field.required("methods").distinct { (item) throws(ManifestError) in
            let method = try item.text(limit: 16)
            guard ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(method) else {
                throw item.refuse("\"\(method)\" is not one of GET, HEAD, POST, PUT, PATCH, DELETE")
            }
            return method
        }
        let paths = try field.required("paths").distinct(pathPrefix)
        guard !methods.isEmpty, !paths.isEmpty else {
            throw field.refuse("methods and paths must each name at least one; an empty list allows nothing")
        }
        return Permissions.HTTPFetch(
            endpoint: try field.required("endpoint").name(), origin: try origin(field.required("origin")),
            methods: methods, paths: paths, reason: try field.required("reason").text())
    }

    private static func pathPrefix(_ field: ManifestField) throws(ManifestError) -> String {
        let path = try field.text(limit: 255)
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = path.utf8.allSatisfy { ManifestReader.isAlphanumeric($0) || pathMarks.contains($0) }
        guard isPlain, path.hasPrefix("/"), path.hasSuffix("/"), path == "/" || !path.contains("//"),
            !parts.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
        else { throw field.refuse("\"\(path)\" must be a plain path that starts and ends with /") }
        return path
    }

    /// What a path segment may hold besides letters and digits (RFC 3986 section 3.3), without % and ; that servers
    /// read in more than one way.
    private static let pathMarks = Set("/-._~!$&'()*+,=:@".utf8)

    /// `https://host[:port]`: lower case, a DNS name, no user, path, query or address literal.
    private static func origin(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: 300)
        guard let origin = Origin(text), origin.isDNSName else {
            throw field.refuse("\"\(text)\" must be https:// and a lower-case DNS name, with :port if it is not 443")
        }
        return origin.description
    }

    private static func credential(_ field: ManifestField) throws(ManifestError) -> Permissions.CredentialUse {
        try field.allow(only: ["name", "scope", "reason"])
        return Permissions.CredentialUse(
            name: try field.required("name").name(),
            scope: try field.required("scope").choice(of: Permissions.CredentialUse.Scope.self),
            reason: try field.required("reason").text())
    }

    private static func resources(_ field: ManifestField) throws(ManifestError) -> Permissions.Resources {
        try field.allow(only: ["memoryMegabytes", "processes", "openFiles"], calledA: "resource")
        var resources = Permissions.Resources()
        resources.memoryMegabytes = try field.optional("memoryMegabytes").map { (item) throws(ManifestError) in
            try item.integer(in: 16...4_096)
        }
        resources.processes = try field.optional("processes").map { (item) throws(ManifestError) in
            try item.integer(in: 1...256)
        }
        resources.openFiles = try field.optional("openFiles").map { (item) throws(ManifestError) in
            try item.integer(in: 8...1_024)
        }
        return resources
    }

    private static func refuseRepeats(_ names: [String], field: String) throws(ManifestError) {
        for (position, name) in names.enumerated() where names.firstIndex(of: name) != position {
            throw ManifestError(field: "\(field)[\(position)]", reason: "\"\(name)\" is declared twice")
        }
    }
}
