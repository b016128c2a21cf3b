internal import Crypto
internal import Glibc
internal import PluginABI

/// The key under which secrets rest: 32 bytes. They lie in locked memory; what swift-crypto needs is a copy that lives
/// as long as one operation and is wiped by it.
public struct MasterKey: Sendable {
    private let bytes: SecretBytes
    /// 16 hex digits that tell keys apart and nothing of them.
    let id: String
    public static let variable = "NEXUS_MASTER_KEY"

    var key: SymmetricKey { bytes.withBytes { SymmetricKey(data: $0) } }

    init(key: SymmetricKey) {
        bytes = key.withUnsafeBytes { LockedMemory.secret(copying: $0) }
        id = VaultKey.derive(key, salt: [], info: Array("nexus-secret-2 id".utf8), count: 8).withUnsafeBytes {
            Hex.text($0)
        }
    }

    static func random() -> MasterKey { MasterKey(key: SymmetricKey(size: .bits256)) }

    /// As the file has it: 64 hex digits and a newline. The caller wipes it.
    var text: [UInt8] { bytes.withBytes { Array((Hex.text($0) + "\n").utf8) } }

    /// Reads the key from the home's file, or makes one. A key in the environment is taken once, moved to the file and
    /// removed from the environment.
    ///
    /// - Returns: the key, and a warning to show if it came from the environment.
    /// - Throws: `HostError` with `secretUnreadable` for a malformed key or one that differs from the file's.
    public static func load(_ home: Home) throws(HostError) -> (key: MasterKey, warning: String?) {
        let stored = try read(home.masterKey)
        let given = getenv(variable).map { String(cString: $0) }
        unsetenv(variable)
        if let given {
            let key = try parse(given, from: "the variable \(variable)")
            if let stored, stored.key != key.key {
                throw HostError(
                    .secretUnreadable,
                    "\(variable) differs from the key in \(home.masterKey); unset it, "
                        + "or restore the file that belongs to it"
                )
            }
            if stored == nil { try key.write(to: home.masterKey) }
            return (
                key,
                "the master key was taken from \(variable) and is now in \(home.masterKey); remove the variable: "
                    + "an environment can be read by every process of the same user"
            )
        }
        if let stored { return (stored, nil) }
        let fresh = random()
        try fresh.write(to: home.masterKey)
        return (fresh, nil)
    }

    /// The key in a 0600 file; nil if there is none.
    static func read(_ path: String) throws(HostError) -> MasterKey? {
        guard var stored = try FileBytes.read(path, limit: 256, isPrivate: true) else { return nil }
        defer { stored.wipe() }
        return try parse(String(decoding: stored, as: UTF8.self), from: path)
    }

    private func write(to path: String) throws(HostError) {
        var text = text
        defer { text.wipe() }
        try FileBytes.write(text, to: path)
    }

    static func parse(_ text: String, from place: String) throws(HostError) -> MasterKey {
        let digits = text.split(whereSeparator: \.isWhitespace)
        guard digits.count == 1, var bytes = Hex.bytes(String(digits[0])), bytes.count == 32 else {
            throw HostError(
                .secretUnreadable, "the master key in \(place) must be 64 hex digits; restore it from a backup")
        }
        defer { bytes.wipe() }
        return MasterKey(key: SymmetricKey(data: bytes))
    }
}
