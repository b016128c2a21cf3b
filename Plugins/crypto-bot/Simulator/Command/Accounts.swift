import JSONBytes

extension Account {
    static let demoBalances = ["USDT": Amount(10_000), "BTC": Amount(5, e: -1), "ETH": Amount(3)]

    /// Key and secret as Binance publishes them in its signature examples (rest-api.md).
    static let demo = Account(
        key: "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
        secret: "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
        balances: demoBalances)
}

extension Account {
    /// `KEY:SECRET` from the command line, with the demo's balances. The error names its place, not what was written.
    init(argument: String, place: String) throws {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, Authentication.isKey(String(parts[0])) else {
            throw StartError("\(place) must be KEY:SECRET, the key of 64 letters and digits")
        }
        self.init(key: String(parts[0]), secret: String(parts[1]), balances: Account.demoBalances)
    }
}

/// Accounts with balances of their own. Errors name the entry, never a secret.
enum AccountsFile {
    private static let limit = 1 << 20

    static func read(_ path: String) throws -> [Account] {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: try Files.read(path, limit: limit))
        } catch let error as JSONError {
            throw StartError("\(path) is not JSON: \(error)")
        }
        guard let entries = document.arrayValue else { throw StartError("\(path) must hold an array of accounts") }
        return try entries.enumerated().map { try account($1, place: "\(path), account \($0 + 1)") }
    }

    private static func account(_ entry: JSONValue, place: String) throws -> Account {
        guard let key = entry["key"]?.stringValue, Authentication.isKey(key) else {
            throw StartError("\(place): key must be 64 letters and digits")
        }
        guard let secret = entry["secret"]?.stringValue, !secret.isEmpty else {
            throw StartError("\(place): secret must be text")
        }
        var balances: [String: Amount] = [:]
        for member in entry["balances"]?.objectValue?.members ?? [] {
            guard let amount = member.value.stringValue.flatMap({ Amount($0) }) else {
                throw StartError("\(place): the balance of \(member.key) must be a decimal in quotes")
            }
            balances[member.key] = amount
        }
        return Account(key: key, secret: secret, balances: balances)
    }
}
