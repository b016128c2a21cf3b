internal import Crypto

/// One version of a secret as it lies in the database.
struct SecretRecord: Sendable, Equatable {
    var version: Int
    /// The id of the master key under which the data key is wrapped.
    var master: String
    /// The data key: nonce, ciphertext, tag.
    var wrapped: [UInt8]
    /// The value under the data key: nonce, ciphertext, tag.
    var sealed: [UInt8]
    /// Unix seconds.
    var created: Int
    /// Unix seconds; nil for never.
    var expires: Int?

    /// Tells records apart; stays the same when a data key is wrapped anew.
    var mark: SecretMark { SecretMark(version: version, digest: Array(SHA256.hash(data: sealed))) }
}

/// Which record is the current one: its version, and SHA-256 of its sealed value.
struct SecretMark: Sendable, Equatable {
    var version: Int
    var digest: [UInt8]
}

/// All current versions, with a sum that a change costs the same for any number of secrets.
///
/// The sum is the XOR of a keyed code for each (MSet-XOR-Hash in Clarke and others, "Incremental Multiset Hash
/// Functions and Their Application to Memory Integrity Checking", ASIACRYPT 2003). It never leaves the process: only
/// the code over epoch, count and sum is stored.
struct SecretSet: Sendable {
    private(set) var marks: [SecretAddress: SecretMark] = [:]
    private(set) var sum = [UInt8](repeating: 0, count: 32)

    /// Puts a secret's current version in, in place of the one before; nil takes it out.
    mutating func put(_ mark: SecretMark?, at address: SecretAddress, key: VaultKey) {
        if let old = marks[address] { toggle(key.element(address, old)) }
        if let mark { toggle(key.element(address, mark)) }
        marks[address] = mark
    }

    /// The same set, summed under another key.
    func summed(under key: VaultKey) -> SecretSet {
        var set = SecretSet()
        for (address, mark) in marks { set.put(mark, at: address, key: key) }
        return set
    }

    private mutating func toggle(_ element: [UInt8]) {
        for (index, byte) in element.enumerated() { sum[index] ^= byte }
    }
}
