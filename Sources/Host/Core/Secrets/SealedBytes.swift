internal import Crypto
internal import FoundationEssentials
internal import PluginABI

/// AES-256-GCM (NIST SP 800-38D), the one cipher at rest: a nonce of 96 bits or more, a tag of 128. What is stored has
/// a random nonce of 96 bits and lies as nonce, ciphertext, tag.
struct SealedBytes: Sendable, Equatable {
    static let nonceBytes = 12
    static let tagBytes = 16

    var nonce: [UInt8]
    var ciphertext: [UInt8]
    var tag: [UInt8]

    init(nonce: [UInt8], ciphertext: [UInt8], tag: [UInt8]) {
        self.nonce = nonce
        self.ciphertext = ciphertext
        self.tag = tag
    }

    /// - Returns: nil for what is too short to be one.
    init?(stored bytes: [UInt8]) {
        guard bytes.count >= Self.nonceBytes + Self.tagBytes else { return nil }
        nonce = Array(bytes.prefix(Self.nonceBytes))
        ciphertext = Array(bytes.dropFirst(Self.nonceBytes).dropLast(Self.tagBytes))
        tag = Array(bytes.suffix(Self.tagBytes))
    }

    var stored: [UInt8] { nonce + ciphertext + tag }

    /// - Parameter nonce: a random one unless given; only known answers are tested with a given one.
    /// - Throws: `CryptoKitError` for a key that is not of 256 bits or a nonce below 96.
    static func seal(
        _ plain: UnsafeRawBufferPointer, key: SymmetricKey, nonce: [UInt8]? = nil, bound: [UInt8]
    ) throws -> SealedBytes {
        try check(key)
        let box = try AES.GCM.seal(
            plain, using: key, nonce: try nonce.map { try AES.GCM.Nonce(data: $0) } ?? AES.GCM.Nonce(),
            authenticating: bound)
        return SealedBytes(nonce: Array(box.nonce), ciphertext: Array(box.ciphertext), tag: Array(box.tag))
    }

    /// - Throws: `CryptoKitError` where key, tag or what it is bound to differ, or a nonce or tag is too short.
    func open(key: SymmetricKey, bound: [UInt8]) throws -> SecretBytes {
        try Self.check(key)
        guard tag.count == Self.tagBytes else { throw CryptoKitError.incorrectParameterSize }
        let box = try AES.GCM.SealedBox(nonce: AES.GCM.Nonce(data: nonce), ciphertext: ciphertext, tag: tag)
        var plain = try AES.GCM.open(box, using: key, authenticating: bound)
        defer { plain.withUnsafeMutableBytes { SecretBytes.wipe($0) } }
        return plain.withUnsafeBytes { LockedMemory.secret(copying: $0) }
    }

    private static func check(_ key: SymmetricKey) throws {
        guard key.bitCount == 256 else { throw CryptoKitError.incorrectKeySize }
    }
}
