internal import Crypto
internal import Glibc
internal import PluginABI

/// The key under which secrets rest: 32 bytes in a 0600 file, as 64 hex digits.
public struct MasterKey: Sendable {
    let key: SymmetricKey
    public static let variable = "NEXUS_MASTER_KEY"

    /// Reads the key, or makes one. A key in the environment is taken once, moved to the file and removed from the
    /// environment.
    ///
    /// - Returns: the key, and a warning to show if it came from the environment.
    /// - Throws: `HostError` with `secretUnreadable` for a malformed key or one that differs from the file's.
    public static func load(_ home: Home) throws(HostError) -> (key: MasterKey, warning: String?) {
        var stored = try FileBytes.read(home.masterKey, limit: 256, isPrivate: true)
        defer { stored?.wipe() }
        let given = getenv(variable).map { String(cString: $0) }
        unsetenv(variable)
        if let given {
            let key = try parse(given, from: "the variable \(variable)")
            if let stored, try parse(String(decoding: stored, as: UTF8.self), from: home.masterKey).key != key.key {
                throw HostError(
                    .secretUnreadable,
                    "\(variable) differs from the key in \(home.masterKey); unset it, "
                        + "or restore the file that belongs to it"
                )
            }
            if stored == nil {
                var text = key.key.withUnsafeBytes { Array((Hex.text($0) + "\n").utf8) }
                defer { text.wipe() }
                try FileBytes.write(text, to: home.masterKey)
            }
            return (
                key,
                "the master key was taken from \(variable) and is now in \(home.masterKey); remove the variable: "
                    + "an environment can be read by every process of the same user"
            )
        }
        if let stored { return (try parse(String(decoding: stored, as: UTF8.self), from: home.masterKey), nil) }
        var fresh = RandomBytes.make(32)
        var text = Array((Hex.text(fresh) + "\n").utf8)
        defer {
            fresh.wipe()
            text.wipe()
        }
        try FileBytes.write(text, to: home.masterKey)
        return (MasterKey(key: SymmetricKey(data: fresh)), nil)
    }

    private static func parse(_ text: String, from place: String) throws(HostError) -> MasterKey {
        let digits = text.split(whereSeparator: \.isWhitespace)
        guard digits.count == 1, var bytes = Hex.bytes(String(digits[0])), bytes.count == 32 else {
            throw HostError(
                .secretUnreadable, "the master key in \(place) must be 64 hex digits; restore it from a backup")
        }
        defer { bytes.wipe() }
        return MasterKey(key: SymmetricKey(data: bytes))
    }

    init(key: SymmetricKey) { self.key = key }
}
