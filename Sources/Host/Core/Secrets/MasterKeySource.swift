internal import Crypto
internal import Glibc
public import PluginABI
internal import SystemPackage

/// Where the master key comes from: a 0600 file in the home, or what whoever starts the host hands over. Never the
/// store, never a command line.
public enum MasterKeySource: Sendable {
    case file
    /// 64 hex digits, read already: from a descriptor or from systemd's credentials directory.
    case given(SecretBytes, place: String)
    case passphrase(SecretBytes)

    /// The name of the credential, as in systemd's LoadCredential= (systemd.exec(5)).
    public static let credentialName = "nexus-master-key"

    /// Reads what was handed over, while the process may still be root: only it may read systemd's files.
    ///
    /// - Parameters:
    ///   - keyDescriptor: read to its end and closed; nil for none. Likewise `passphraseDescriptor`.
    ///   - credentials: `$CREDENTIALS_DIRECTORY`.
    public static func take(
        keyDescriptor: Int32?, passphraseDescriptor: Int32?, credentials: String?
    ) throws(HostError) -> MasterKeySource {
        if let keyDescriptor {
            return .given(try read(keyDescriptor), place: "descriptor \(keyDescriptor)")
        }
        if let passphraseDescriptor { return .passphrase(try read(passphraseDescriptor)) }
        if let credentials {
            let path = "\(credentials)/\(credentialName)"
            if var bytes = try FileBytes.read(path, limit: 256) {
                defer { bytes.wipe() }
                return .given(SecretBytes(copying: bytes), place: path)
            }
        }
        return .file
    }

    /// All of a descriptor but the newline at its end.
    private static func read(_ descriptor: Int32) throws(HostError) -> SecretBytes {
        let limit = 1_024
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        defer { bytes.wipe() }
        var count = 0
        while count <= limit {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
            }
            guard got >= 0 else {
                throw HostError(
                    .secretUnreadable,
                    "the master key cannot be read from descriptor \(descriptor): \(Errno(rawValue: errno))")
            }
            if got == 0 { break }
            count += got
        }
        close(descriptor)
        guard (1...limit).contains(count) else {
            throw HostError(
                .secretUnreadable,
                "descriptor \(descriptor) brought \(count) bytes; a key or passphrase has 1 to \(limit)")
        }
        if bytes[count - 1] == 0x0A { count -= 1 }
        return SecretBytes(copying: bytes[..<count])
    }
}

/// The master key as it was loaded, and who keeps the next one.
public struct LoadedMasterKey: Sendable {
    public var key: MasterKey
    /// A key that a rotation staged before it was cut off; the database says which of the two is in force.
    var next: MasterKey?
    var keeper: MasterKeyKeeper
    /// To show.
    public var warning: String?

    /// - Throws: `HostError` with `secretUnreadable` for a malformed key.
    public static func load(_ source: MasterKeySource, home: Home) throws(HostError) -> LoadedMasterKey {
        switch source {
        case .file:
            let keeper = MasterKeyKeeper(kind: .file, path: home.masterKey)
            let (key, warning) = try MasterKey.load(home)
            return LoadedMasterKey(
                key: key, next: try MasterKey.read(keeper.nextPath), keeper: keeper, warning: warning)
        case .given(let bytes, let place):
            let text = bytes.withBytes { String(decoding: $0, as: UTF8.self) }
            return LoadedMasterKey(
                key: try MasterKey.parse(text, from: place), keeper: MasterKeyKeeper(kind: .elsewhere, path: ""))
        case .passphrase(let passphrase):
            let keeper = MasterKeyKeeper(kind: .passphrase, path: home.passphraseParameters)
            if try keeper.parameters(keeper.path) == nil {
                let fresh = PassphraseParameters(salt: RandomBytes.make(16))
                try FileBytes.write(Array(fresh.text.utf8), to: keeper.path)
            }
            guard let parameters = try keeper.parameters(keeper.path) else {
                throw HostError(.storageFailed, "\(keeper.path) is gone; start again")
            }
            return LoadedMasterKey(
                key: try parameters.masterKey(passphrase),
                next: try keeper.parameters(keeper.nextPath)?.masterKey(passphrase), keeper: keeper)
        }
    }
}

/// Keeps what leads to the master key, and through a rotation the next one beside it: `master.key.next` until the
/// database has changed over, then in the old one's place.
struct MasterKeyKeeper: Sendable {
    enum Kind: Sendable { case file, passphrase, elsewhere }
    var kind: Kind
    /// Empty where the key is kept elsewhere.
    var path: String
    var nextPath: String { "\(path).next" }

    func parameters(_ path: String) throws(HostError) -> PassphraseParameters? {
        guard let bytes = try FileBytes.read(path, limit: 256, isPrivate: true) else { return nil }
        return try PassphraseParameters(String(decoding: bytes, as: UTF8.self), from: path)
    }

    /// The next master key, on the disk beside the old one.
    ///
    /// - Parameter input: the new passphrase, or 64 hex digits for a key that is kept elsewhere.
    func stage(_ input: SecretBytes?) throws(HostError) -> MasterKey {
        switch (kind, input) {
        case (.file, nil):
            let key = MasterKey.random()
            var text = key.text
            defer { text.wipe() }
            try FileBytes.write(text, to: nextPath)
            return key
        case (.passphrase, let input?):
            let parameters = PassphraseParameters(salt: RandomBytes.make(16))
            let key = try parameters.masterKey(input)
            try FileBytes.write(Array(parameters.text.utf8), to: nextPath)
            return key
        case (.elsewhere, let input?):
            return try MasterKey.parse(
                input.withBytes { String(decoding: $0, as: UTF8.self) }, from: "the request")
        case (.file, _):
            throw HostError(.invalidRequest, "the host makes the next key itself; give none")
        case (_, nil):
            let what = kind == .passphrase ? "passphrase" : "key, 64 hex digits,"
            throw HostError(
                .invalidRequest,
                "the master key is not kept in a file of the home: give the next \(what) on standard input")
        }
    }

    /// The next one takes the old one's place, and the old one's bytes are overwritten.
    func promote() throws(HostError) {
        guard kind != .elsewhere, access(nextPath, F_OK) == 0 else { return }
        // Held open: after the rename it has no name, and its bytes go before its blocks are free.
        let old = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        defer { if old >= 0 { close(old) } }
        guard rename(nextPath, path) == 0 else {
            throw HostError(.storageFailed, "\(nextPath) cannot become \(path): \(Errno(rawValue: errno))")
        }
        FileBytes.syncFolder(of: path)
        guard old >= 0 else { return }
        let zeros = [UInt8](repeating: 0, count: 128)
        _ = zeros.withUnsafeBytes { pwrite(old, $0.baseAddress, $0.count, 0) }
        fsync(old)
    }

    /// The next one was never in force.
    func discard() {
        if kind != .elsewhere { unlink(nextPath) }
    }
}
