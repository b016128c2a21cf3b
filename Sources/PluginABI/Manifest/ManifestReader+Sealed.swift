internal import JSONBytes

/// What `sealed` of an `http.fetch` entry says (manifest-v1.md section 5.2), held to itself and to what is declared.
extension ManifestReader {
    static func sealedUses(_ field: ManifestField) throws(ManifestError) -> [Permissions.SealedUse] {
        let uses = try field.items("sealed", limit: ManifestLimits.sealedUses).mapTyped(sealedUse)
        var places: [Permissions.RequestPlace] = []
        for (index, use) in uses.enumerated() {
            let path = "\(field.path).sealed[\(index)]"
            if use.signs, uses[..<index].contains(where: \.signs) {
                throw ManifestError(field: path, reason: "a request is signed once; leave one signature")
            }
            for place in use.places {
                guard !places.contains(place) else {
                    throw ManifestError(field: path, reason: "\(place.words) is written twice")
                }
                places.append(place)
            }
        }
        return uses
    }

    /// Every credential that is used sealed is declared so, and each that is declared so has a use.
    static func check(sealed permissions: Permissions) throws(ManifestError) {
        let sealed = permissions.credentials.filter { $0.delivery == .sealed }.map(\.name)
        for (entry, rule) in permissions.httpFetch.enumerated() {
            for (index, use) in rule.sealed.enumerated() {
                for name in use.credentials where !sealed.contains(name) {
                    let isDeclared = permissions.credentials.contains { $0.name == name }
                    throw ManifestError(
                        field: "permissions.http.fetch[\(entry)].sealed[\(index)]",
                        reason: isDeclared
                            ? "\"\(name)\" is delivered with the call; declare it with \"delivery\": \"sealed\""
                            : "\"\(name)\" is not declared under permissions.credentials")
                }
            }
        }
        let used = Set(permissions.httpFetch.flatMap(\.sealed).flatMap(\.credentials))
        for (index, use) in permissions.credentials.enumerated() where use.delivery == .sealed {
            guard !used.contains(use.name) else { continue }
            throw ManifestError(
                field: "permissions.credentials[\(index)].delivery",
                reason: "no entry of http.fetch uses \"\(use.name)\" under sealed, so nothing could be done with it")
        }
    }

    private static func sealedUse(_ field: ManifestField) throws(ManifestError) -> Permissions.SealedUse {
        guard let scheme = field.optional("sign") else {
            try field.allow(only: ["header", "query", "credential", "after"])
            let place = try Self.place(field)
            if case .query = place, let after = field.optional("after") {
                throw after.refuse("stands before a header's value only")
            }
            return .place(place, credential: try field.required("credential").name(), after: try after(field))
        }
        switch try scheme.text() {
        case "binance":
            try field.allow(only: ["sign", "credential"])
            return .binance(key: try field.required("credential").name())
        case "aws-sigv4": return .awsSignatureV4(try awsSignature(field))
        case "template": return .template(try template(field))
        case let other: throw scheme.refuse("\"\(other)\" is not known; one of: binance, aws-sigv4, template")
        }
    }

    private static func awsSignature(_ field: ManifestField) throws(ManifestError) -> Permissions.AWSSignature {
        try field.allow(only: ["sign", "credential", "id", "session", "region", "service"])
        let scheme = Permissions.AWSSignature(
            key: try field.required("credential").name(), id: try field.required("id").name(),
            session: try field.optional("session")?.name(), region: try field.required("region").name(),
            service: try field.required("service").name())
        guard scheme.key != scheme.id, scheme.key != scheme.session, scheme.id != scheme.session else {
            throw field.refuse("credential, id and session are different credentials")
        }
        return scheme
    }

    private static func template(_ field: ManifestField) throws(ManifestError) -> Permissions.SignatureTemplate {
        typealias Template = Permissions.SignatureTemplate
        try field.allow(only: [
            "sign", "credential", "algorithm", "encoding", "parts", "header", "query", "after", "timestamp",
        ])
        let parts = try field.required("parts").items(limit: ManifestLimits.signatureParts).mapTyped(part)
        guard !parts.isEmpty else { throw field.refuse("parts names at least one") }
        let timestamp = try field.optional("timestamp").map { (time) throws(ManifestError) in
            try time.allow(only: ["header", "query", "format"])
            return Template.Timestamp(
                place: try Self.place(time),
                format: try time.required("format").choice(of: Template.Timestamp.Format.self))
        }
        guard timestamp != nil || !parts.contains(.timestamp) else {
            throw ManifestError(
                field: "\(field.path).timestamp",
                reason: "is missing; parts has one, and the server must be told which")
        }
        let place = try Self.place(field)
        if case .query = place, let after = field.optional("after") {
            throw after.refuse("stands before a header's value only")
        }
        for case .header(let name) in parts where place == .header(name) {
            throw field.refuse("the header \(name) cannot be signed: the signature stands there")
        }
        return Template(
            key: try field.required("credential").name(),
            algorithm: try field.required("algorithm").choice(of: Permissions.SignatureAlgorithm.self),
            encoding: try field.required("encoding").choice(of: Template.Encoding.self), parts: parts, place: place,
            after: try after(field), timestamp: timestamp)
    }

    private static func part(_ field: ManifestField) throws(ManifestError) -> Permissions.SignatureTemplate.Part {
        let text = try field.text(limit: ManifestLimits.label)
        if let plain = Permissions.SignatureTemplate.Part.plain.first(where: { $0.name == text }) { return plain.part }
        guard let colon = text.firstIndex(of: ":") else { throw unknown(part: text, field) }
        let rest = ManifestField(field.path, .string(String(text[text.index(after: colon)...])))
        switch text[..<colon] {
        case "header": return .header(try headerName(rest))
        case "credential": return .credential(try rest.name())
        case "text": return .text(try printable(rest))
        default: throw unknown(part: text, field)
        }
    }

    private static func unknown(part: String, _ field: ManifestField) -> ManifestError {
        let known = Permissions.SignatureTemplate.Part.plain.map(\.name).joined(separator: ", ")
        return field.refuse(
            "\"\(part)\" is not known; one of: \(known), header:NAME, credential:NAME, text:TEXT")
    }

    private static func place(_ field: ManifestField) throws(ManifestError) -> Permissions.RequestPlace {
        switch (field.optional("header"), field.optional("query")) {
        case (let header?, nil): return .header(try headerName(header))
        case (nil, let query?):
            let name = try query.text(limit: ManifestLimits.label)
            guard name.utf8.allSatisfy({ isAlphanumeric($0) || "-._~".utf8.contains($0) }) else {
                throw query.refuse("\"\(name)\" must have letters, digits and - . _ ~ only")
            }
            return .query(name)
        default: throw field.refuse("must have header or query, and one of them only")
        }
    }

    /// A name that a plugin could send too (letters, digits and hyphens), and none that frames the message.
    private static func headerName(_ field: ManifestField) throws(ManifestError) -> String {
        let name = try field.text(limit: ManifestLimits.label)
        guard name.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") }) else {
            throw field.refuse("\"\(name)\" must have letters, digits and - only")
        }
        guard !framingHeaders.contains(name.lowercased()) else {
            throw field.refuse("the header \(name) is set by the host only")
        }
        return name
    }

    private static let framingHeaders: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
        "cookie", "accept-encoding",
    ]

    private static func after(_ field: ManifestField) throws(ManifestError) -> String {
        try field.optional("after").map(printable) ?? ""
    }

    private static func printable(_ field: ManifestField) throws(ManifestError) -> String {
        let text = try field.text(limit: ManifestLimits.label)
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw field.refuse("must be printable ASCII")
        }
        return text
    }
}

extension Permissions.RequestPlace {
    fileprivate var words: String {
        switch self {
        case .header(let name): "the header \(name)"
        case .query(let name): "the parameter \(name)"
        }
    }
}
