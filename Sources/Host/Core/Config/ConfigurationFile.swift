// What crosses here: a file that an administrator writes. Whoever can write it decides what this host may take of the
// machine, so that it must belong to the service user or to root.
internal import Crypto
internal import JSONBytes

/// The home's nexus.json as it was read.
public struct ConfigurationFile: Sendable {
    public var configuration: HostConfiguration
    /// Of the file's bytes, in hexadecimal; nil where there is no file, which means the standard.
    public var sha256: String?

    /// - Throws: `invalidConfiguration` with the file's path, for one that is no regular file, that others may write or
    ///   that cannot be read, and what `HostConfiguration.init(parsing:)` throws.
    public static func read(_ home: Home) throws(HostError) -> ConfigurationFile {
        let path = home.configuration
        do throws(HostError) {
            guard let bytes = try FileBytes.read(path, limit: HostLimits.configuration.bytes, isTrusted: true) else {
                return ConfigurationFile(configuration: .standard)
            }
            let digest = SHA256.hash(data: bytes).map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
            return ConfigurationFile(configuration: try HostConfiguration(parsing: bytes), sha256: digest)
        } catch {
            let what = error.code == .invalidConfiguration ? "\(path): \(error.message)" : error.message
            throw HostError(.invalidConfiguration, "the configuration was not taken: \(what); correct it and try again")
        }
    }
}
