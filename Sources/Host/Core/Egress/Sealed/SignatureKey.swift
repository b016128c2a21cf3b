internal import Crypto
internal import CryptoExtras
internal import PluginABI

/// Signs with a sealed credential. No copy of the key outlives the call of a function here: what is decoded lies in
/// memory that is overwritten, and swift-crypto overwrites its own (SecureBytes; OPENSSL_free).
enum SignatureKey {
    /// Why a stored value is no key. Never quotes it.
    struct Fault: Error, Equatable {
        var reason: String
    }

    /// What the key itself says: a private key in PEM is RSA or Ed25519, anything else a secret for HMAC.
    static func algorithm(of key: SecretBytes) -> Permissions.SignatureAlgorithm {
        guard key.withBytes(PEM.isPEM) else { return .hmacSHA256 }
        let isEd25519 = try? PEM.withDER(key) { Ed25519DER.seed(in: $0) != nil }
        return isEd25519 == true ? .ed25519 : .rsaSHA256
    }

    static func sign(
        _ message: [UInt8], with key: SecretBytes, as algorithm: Permissions.SignatureAlgorithm
    ) throws(Fault) -> [UInt8] {
        switch algorithm {
        case .hmacSHA256: key.withBytes { hmac(message, key: $0) }
        case .rsaSHA256: try PEM.withDER(key) { (der) throws(Fault) in try rsa(message, der) }
        case .ed25519: try PEM.withDER(key) { (der) throws(Fault) in try ed25519(message, der) }
        }
    }

    /// HMAC-SHA256 (RFC 2104). By hand, because swift-crypto's HMAC leaves its padded key in memory that it frees.
    static func hmac(_ message: [UInt8], key: UnsafeRawBufferPointer) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: SHA256.blockByteCount, alignment: 16) { block in
            defer { SecretBytes.wipe(block) }
            block.initializeMemory(as: UInt8.self, repeating: 0)
            if key.count <= block.count {
                block.copyMemory(from: key)
            } else {
                SHA256.hash(data: key).withUnsafeBytes { block.copyMemory(from: $0) }
            }
            func hash(_ pad: UInt8, _ data: [UInt8]) -> [UInt8] {
                for index in block.indices { block[index] ^= pad }
                defer { for index in block.indices { block[index] ^= pad } }
                var hash = SHA256()
                hash.update(bufferPointer: UnsafeRawBufferPointer(block))
                hash.update(data: data)
                return Array(hash.finalize())
            }
            return hash(0x5C, hash(0x36, message))
        }
    }

    private static func rsa(_ message: [UInt8], _ der: UnsafeRawBufferPointer) throws(Fault) -> [UInt8] {
        guard let key = try? _RSA.Signing.PrivateKey(derRepresentation: der) else {
            throw Fault(reason: "it is no RSA private key of 2048 bits or more")
        }
        guard let signature = try? key.signature(for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5) else {
            throw Fault(reason: "it cannot sign")
        }
        return Array(signature.rawRepresentation)
    }

    private static func ed25519(_ message: [UInt8], _ der: UnsafeRawBufferPointer) throws(Fault) -> [UInt8] {
        guard let seed = Ed25519DER.seed(in: der),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let signature = try? key.signature(for: message)
        else { throw Fault(reason: "it is no Ed25519 private key") }
        return Array(signature)
    }
}

/// `OneAsymmetricKey` of an Ed25519 key (RFC 8410 section 7), which has one encoding for each of its two versions.
private enum Ed25519DER {
    /// SEQUENCE, version, AlgorithmIdentifier 1.3.101.112, OCTET STRING in OCTET STRING.
    private static let middle: [UInt8] = [0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]

    static func seed(in der: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard der.count >= 48, der[0] == 0x30, Int(der[1]) == der.count - 2, der[2...3].elementsEqual([0x02, 0x01]),
            der[4] <= 1, der[5..<16].elementsEqual(middle)
        else { return nil }
        return UnsafeRawBufferPointer(rebasing: der[16..<48])
    }
}
