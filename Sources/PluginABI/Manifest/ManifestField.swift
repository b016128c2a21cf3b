internal import JSONBytes

/// A JSON value together with the path by which a person finds it.
struct ManifestField {
    let path: String
    let value: JSONValue

    init(_ path: String, _ value: JSONValue) {
        self.path = path
        self.value = value
    }

    func refuse(_ reason: String) -> ManifestError {
        ManifestError(field: path.isEmpty ? "plugin.json" : path, reason: reason)
    }

    /// Refuses every member that is not in `names`.
    func allow(only names: Set<String>, calledA what: String = "field") throws(ManifestError) {
        guard let object = value.objectValue else { throw refuse("must be an object, found \(value.typeName)") }
        for member in object.members where !names.contains(member.key) {
            throw ManifestError(
                field: child(member.key),
                reason: "unknown \(what); known here: \(names.sorted().joined(separator: ", "))")
        }
    }

    func optional(_ name: String) -> ManifestField? { value[name].map { ManifestField(child(name), $0) } }

    func required(_ name: String) throws(ManifestError) -> ManifestField {
        guard let field = optional(name) else {
            throw ManifestError(field: child(name), reason: "is missing")
        }
        return field
    }

    /// The items of an optional array.
    func items(_ name: String, limit: Int) throws(ManifestError) -> [ManifestField] {
        guard let field = optional(name) else { return [] }
        return try field.items(limit: limit)
    }

    func items(limit: Int) throws(ManifestError) -> [ManifestField] {
        guard let array = value.arrayValue else { throw refuse("must be an array, found \(value.typeName)") }
        guard array.count <= limit else { throw refuse("must have at most \(limit) items, found \(array.count)") }
        return array.enumerated().map { ManifestField("\(path)[\($0.offset)]", $0.element) }
    }

    /// Text of 1 to `limit` characters (Unicode scalars: one visible character may hide thousands), all of them
    /// visible: people decide by this text, so nothing in it may move the cursor or turn the direction of reading.
    func text(limit: Int = 1_000) throws(ManifestError) -> String {
        guard let text = value.stringValue else { throw refuse("must be a string, found \(value.typeName)") }
        let count = text.unicodeScalars.count
        guard (1...limit).contains(count) else { throw refuse("must have 1 to \(limit) characters, found \(count)") }
        guard !text.unicodeScalars.contains(where: Self.isInvisible) else {
            throw refuse("must not hold control or invisible formatting characters")
        }
        return text
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: false
        }
    }

    /// A name that is safe in paths, logs and commands: `[a-z][a-z0-9_-]*`, at most 64 characters.
    func name() throws(ManifestError) -> String {
        let text = try text(limit: ManifestLimits.name)
        let isNameLike = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isNameLike, let first = text.utf8.first, first >= UInt8(ascii: "a") else {
            throw refuse("\"\(text)\" is not a name: use a–z, 0–9, _ and -, starting with a letter")
        }
        return text
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        of type: Choice.Type
    ) throws(ManifestError) -> Choice where Choice.RawValue == String {
        let text = try text()
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw refuse("\"\(text)\" is not known; one of: \(known)")
        }
        return choice
    }

    func integer(in range: ClosedRange<Int>) throws(ManifestError) -> Int {
        guard let number = value.intValue, range.contains(number) else {
            throw refuse(
                "must be an integer from \(range.lowerBound) to \(range.upperBound), found \(value.text.prefix(40))")
        }
        return number
    }

    /// An array of distinct strings, each read by `read`; a bound on their kind bounds their number too.
    func distinct(
        limit: Int = 64, _ read: (ManifestField) throws(ManifestError) -> String
    ) throws(ManifestError) -> [String] {
        var seen: [String] = []
        for item in try items(limit: limit) {
            let text = try read(item)
            guard !seen.contains(text) else { throw item.refuse("\"\(text)\" is named twice") }
            seen.append(text)
        }
        return seen
    }

    /// A member's path. A name that is not plain is quoted: it is a stranger's, and people read it on a terminal.
    private func child(_ name: String) -> String {
        let shown = SchemaChecker.shown(name)
        return path.isEmpty ? shown : "\(path).\(shown)"
    }
}
