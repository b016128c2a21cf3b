internal import Crypto
internal import CryptoExtras
internal import PluginABI

/// How a passphrase becomes a master key: scrypt (RFC 7914), with its parameters and salt in a file of the home. The
/// file is one line: `scrypt N r p SALT`, the salt as hex digits.
struct PassphraseParameters: Sendable, Equatable {
    /// 128 · N · r bytes of memory: 128 MiB as new ones are made.
    var rounds = 1 << 17
    var blockSize = 8
    var parallelism = 1
    var salt: [UInt8]
    static let leastBytes = 12

    init(salt: [UInt8]) { self.salt = salt }

    /// - Throws: `secretUnreadable` for what is no such line, or asks for less than 16 MiB or more than 1 GiB.
    init(_ text: String, from path: String) throws(HostError) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 5, words[0] == "scrypt", let rounds = Int(words[1]), let blockSize = Int(words[2]),
            let parallelism = Int(words[3]), let salt = Hex.bytes(words[4]), salt.count >= 16,
            (1 << 14...1 << 20).contains(rounds), rounds & (rounds - 1) == 0, blockSize == 8,
            (1...16).contains(parallelism)
        else {
            throw HostError(
                .secretUnreadable, "\(path) does not say how the passphrase becomes a key; restore it from a backup")
        }
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
        self.salt = salt
    }

    var text: String { "scrypt \(rounds) \(blockSize) \(parallelism) \(Hex.text(salt))\n" }

    func masterKey(_ passphrase: SecretBytes) throws(HostError) -> MasterKey {
        guard passphrase.count >= Self.leastBytes else {
            throw HostError(.invalidRequest, "a passphrase has \(Self.leastBytes) bytes or more; choose a longer one")
        }
        do {
            return try passphrase.withBytes { bytes in
                MasterKey(
                    key: try KDF.Scrypt.deriveKey(
                        from: bytes, salt: salt, outputByteCount: 32, rounds: rounds, blockSize: blockSize,
                        parallelism: parallelism))
            }
        } catch {
            throw HostError(.storageFailed, "the passphrase could not be turned into a key: \(error)", retryable: true)
        }
    }
}
