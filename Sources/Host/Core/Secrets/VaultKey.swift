internal import Crypto
internal import PluginABI

/// A master key with the store's salt: everything that is derived from the two (HKDF-SHA256, RFC 5869).
///
/// The master key itself rests in `SecretBytes`; derived keys are made when needed and wiped by swift-crypto when they
/// go, but for the two that authenticate the set and the one of fingerprints: those open nothing.
struct VaultKey: Sendable {
    let master: MasterKey
    let salt: [UInt8]
    /// Tells master keys apart and tells nothing of them.
    var id: String { master.id }
    private let elementKey: SymmetricKey
    private let setKey: SymmetricKey
    /// Of the master key alone: another salt does not change what a value is called in the log.
    private let fingerprintKey: SymmetricKey

    init(_ master: MasterKey, salt: [UInt8]) {
        self.master = master
        self.salt = salt
        elementKey = Self.derive(master.key, salt: salt, info: Array("nexus-secret-2 element".utf8))
        fingerprintKey = Self.derive(master.key, salt: [], info: Array("nexus-audit-fingerprint-1".utf8))
        setKey = Self.derive(master.key, salt: salt, info: Array("nexus-secret-2 set".utf8))
    }

    static func derive(_ input: SymmetricKey, salt: [UInt8], info: [UInt8], count: Int = 32) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: input, salt: salt, info: info, outputByteCount: count)
    }

    /// Of one plugin, scope and owner: what leaks of it opens nothing of others.
    func wrappingKey(_ address: SecretAddress) -> SymmetricKey {
        Self.derive(master.key, salt: salt, info: address.wrappingInfo)
    }

    /// HMAC-SHA256 in hex, 64 bits of it.
    func fingerprint(_ value: SecretBytes) -> String {
        Hex.text(value.withBytes { HMAC<SHA256>.authenticationCode(for: $0, using: fingerprintKey) }.prefix(8))
    }

    // MARK: records

    func seal(
        _ value: SecretBytes, at address: SecretAddress, version: Int, created: Int, expires: Int?
    ) throws -> SecretRecord {
        let dataKey = SymmetricKey(size: .bits256)
        let sealed = try value.withBytes {
            try SealedBytes.seal(
                $0, key: dataKey, bound: address.associatedData(.value, version: version, expires: expires))
        }
        var record = SecretRecord(
            version: version, master: id, wrapped: [], sealed: sealed.stored, created: created, expires: expires)
        record.wrapped = try dataKey.withUnsafeBytes { try wrap($0, of: record, at: address) }
        return record
    }

    /// - Throws: where any bit of the record, its place or the key is another.
    func open(_ record: SecretRecord, at address: SecretAddress) throws -> SecretBytes {
        let dataKey = try unwrap(record, at: address).withBytes { SymmetricKey(data: $0) }
        guard let sealed = SealedBytes(stored: record.sealed) else { throw CryptoKitError.incorrectParameterSize }
        return try sealed.open(
            key: dataKey, bound: address.associatedData(.value, version: record.version, expires: record.expires))
    }

    /// The record with its data key under another master key; the value stays sealed as it is.
    func rewrap(_ record: SecretRecord, at address: SecretAddress, under other: VaultKey) throws -> SecretRecord {
        var record = record
        let dataKey = try unwrap(record, at: address)
        record.wrapped = try dataKey.withBytes { try other.wrap($0, of: record, at: address) }
        record.master = other.id
        return record
    }

    private func wrap(
        _ dataKey: UnsafeRawBufferPointer, of record: SecretRecord, at address: SecretAddress
    ) throws -> [UInt8] {
        let bound = address.associatedData(.dataKey, version: record.version, expires: record.expires)
        return try SealedBytes.seal(dataKey, key: wrappingKey(address), bound: bound).stored
    }

    private func unwrap(_ record: SecretRecord, at address: SecretAddress) throws -> SecretBytes {
        guard let wrapped = SealedBytes(stored: record.wrapped) else { throw CryptoKitError.incorrectParameterSize }
        let bound = address.associatedData(.dataKey, version: record.version, expires: record.expires)
        return try wrapped.open(key: wrappingKey(address), bound: bound)
    }

    // MARK: the set

    /// Stands for one current version in the set's sum.
    func element(_ address: SecretAddress, _ mark: SecretMark) -> [UInt8] {
        let bytes = LengthPrefixed.join([
            address.scope.rawValue, address.owner, address.plugin, address.name, String(mark.version),
            Hex.text(mark.digest),
        ])
        return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: elementKey))
    }

    /// Authenticates the whole set under its epoch.
    func code(epoch: Int, of set: SecretSet) -> [UInt8] {
        let bytes = LengthPrefixed.join([String(epoch), String(set.marks.count), Hex.text(set.sum)])
        return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: setKey))
    }
}
