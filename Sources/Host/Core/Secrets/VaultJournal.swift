internal import AuditLog
internal import JSONBytes
internal import PluginABI

/// What a change does to the set of secrets, as the audit log tells it.
enum VaultChange: Sendable, Equatable {
    case set(SecretAddress, SecretMark)
    case removed(SecretAddress)
    case pluginRemoved(String)
    /// A new master key: the set stays as it is.
    case rotated
    /// The set as it stands becomes the one that counts: at the store's making, or when an admin accepts it.
    case adopted([SecretAddress: SecretMark])

    var members: [(key: String, value: JSONValue)] {
        switch self {
        case .set(let address, let mark):
            [("change", "set")] + Self.members(address, mark)
        case .removed(let address): [("change", "removed")] + Self.members(address, nil)
        case .pluginRemoved(let plugin): [("change", "plugin-removed"), ("plugin", .string(plugin))]
        case .rotated: [("change", "master-rotated")]
        case .adopted: [("change", "adopted")]
        }
    }

    /// What is too long for one entry: the records of a set that is adopted, in entries of their own before the intent.
    var records: [[(key: String, value: JSONValue)]] {
        guard case .adopted(let marks) = self else { return [] }
        let all = marks.map { JSONValue.object(JSONObject(Self.members($0.key, $0.value))) }
        return stride(from: 0, to: all.count, by: Self.recordsPerEntry).map { start in
            [("records", .array(Array(all[start..<min(start + Self.recordsPerEntry, all.count)])))]
        }
    }
    static let recordsPerEntry = 500

    private static func members(_ address: SecretAddress, _ mark: SecretMark?) -> [(key: String, value: JSONValue)] {
        var members: [(key: String, value: JSONValue)] = [
            ("scope", .string(address.scope.rawValue)), ("user", .string(address.owner)),
            ("plugin", .string(address.plugin)), ("name", .string(address.name)),
        ]
        if let mark {
            members.append(("version", JSONValue(mark.version)))
            members.append(("record", .string(Hex.text(mark.digest))))
        }
        return members
    }

    /// Nil for what this version does not know.
    init?(_ entry: JSONValue) {
        switch entry["change"]?.stringValue {
        case "set":
            guard let address = Self.address(entry), let mark = Self.mark(entry) else { return nil }
            self = .set(address, mark)
        case "removed":
            guard let address = Self.address(entry) else { return nil }
            self = .removed(address)
        case "plugin-removed":
            guard let plugin = entry["plugin"]?.stringValue else { return nil }
            self = .pluginRemoved(plugin)
        case "master-rotated": self = .rotated
        case "adopted": self = .adopted([:])
        default: return nil
        }
    }

    /// What an entry lists of a set that is adopted.
    static func marks(_ entry: JSONValue) -> [SecretAddress: SecretMark] {
        var marks: [SecretAddress: SecretMark] = [:]
        for record in entry["records"]?.arrayValue ?? [] {
            if let address = address(record), let mark = mark(record) { marks[address] = mark }
        }
        return marks
    }

    private static func address(_ entry: JSONValue) -> SecretAddress? {
        guard let scope = entry["scope"]?.stringValue.flatMap(Permissions.CredentialUse.Scope.init(rawValue:)),
            let owner = entry["user"]?.stringValue, let plugin = entry["plugin"]?.stringValue,
            let name = entry["name"]?.stringValue
        else { return nil }
        return SecretAddress(scope: scope, owner: owner, plugin: plugin, name: name)
    }

    private static func mark(_ entry: JSONValue) -> SecretMark? {
        guard let version = entry["version"]?.intValue,
            let digest = entry["record"]?.stringValue.flatMap(Hex.bytes)
        else { return nil }
        return SecretMark(version: version, digest: digest)
    }
}

/// The store's epochs in the audit log. Each change is two entries of kind `vault`: `intent` before the database
/// commits, with the epoch and the set's code that it will have, and `done` after. A crash between them leaves an open
/// intent: then the database may be of the epoch before or of that one, and both are right.
struct VaultJournal: Sendable {
    struct Intent: Sendable, Equatable {
        var epoch: Int
        /// The set's code, hex.
        var code: String
        var change: VaultChange?
    }

    /// The newest change that is known to be in the database.
    private(set) var settled: Intent?
    /// Changes begun since then.
    private(set) var open: [Intent] = []
    /// What the settled changes say is there; nil for a secret that was removed.
    private(set) var expected: [SecretAddress: SecretMark?] = [:]

    var newestEpoch: Int { max(settled?.epoch ?? 0, open.map(\.epoch).max() ?? 0) }

    init() {}

    /// Reads the entries of kind `vault`; others are passed over.
    init(entries: [[UInt8]]) {
        var listed: [Int: [SecretAddress: SecretMark]] = [:]
        let sign = Array(#""kind":"vault""#.utf8)
        for line in entries where line.firstRange(of: sign) != nil {
            guard let entry = try? JSONValue(parsing: line), entry["kind"]?.stringValue == "vault",
                let epoch = entry["epoch"]?.intValue
            else { continue }
            switch entry["event"]?.stringValue {
            case "records": listed[epoch, default: [:]].merge(VaultChange.marks(entry)) { $1 }
            case "intent":
                var change = VaultChange(entry)
                if case .adopted = change { change = .adopted(listed[epoch] ?? [:]) }
                open.append(Intent(epoch: epoch, code: entry["set"]?.stringValue ?? "", change: change))
            case "done": settle(epoch)
            case "abandoned": open.removeAll { $0.epoch == epoch }
            default: continue
            }
        }
    }

    /// The change of this epoch is in the database, and so are those before it.
    mutating func settle(_ epoch: Int) {
        guard let intent = open.last(where: { $0.epoch == epoch }) else { return }
        for change in open.filter({ $0.epoch <= epoch }).compactMap(\.change) { apply(change) }
        settled = intent
        open.removeAll { $0.epoch <= epoch }
    }

    private mutating func apply(_ change: VaultChange) {
        switch change {
        case .set(let address, let mark): expected[address] = .some(mark)
        case .removed(let address): expected[address] = .some(nil)
        case .pluginRemoved(let plugin):
            for address in expected.keys where address.plugin == plugin { expected[address] = .some(nil) }
        case .rotated: break
        case .adopted(let marks): expected = marks.mapValues { .some($0) }
        }
    }

    /// What differs between the database and the log, in words that name each record.
    func differences(from marks: [SecretAddress: SecretMark]) -> [String] {
        var words: [String] = []
        for (address, mark) in expected {
            switch (mark, marks[address]) {
            case (nil, nil): continue
            case (nil, .some): words.append("\(address.words) was removed and is there again")
            case (let mark?, nil): words.append("\(address.words), version \(mark.version), is missing")
            case (let mark?, let found?) where mark == found: continue
            case (let mark?, let found?) where mark.version == found.version:
                words.append("\(address.words), version \(mark.version), is not the record that was stored")
            case (let mark?, let found?):
                words.append("\(address.words) is at version \(found.version) instead of \(mark.version)")
            }
        }
        for address in marks.keys where expected[address] == nil { words.append("\(address.words) was added") }
        return words.sorted()
    }
}
