// What an author hands over: a manifest and the executable that it names. Both are hostile until they are checked, and
// both are read once: what was checked is what is stored, and what is stored is what runs.
internal import Crypto
public import PluginABI
internal import SystemPackage

/// A plugin as bytes.
public struct PluginBundle: Sendable {
    public let manifest: PluginManifest
    public let manifestBytes: [UInt8]
    public let executable: [UInt8]
    /// SHA-256 of the executable, lower-case hex.
    public let executableDigest: String

    /// In bytes; an executable is run from a sealed memory file, so it has to fit there.
    public static let executableLimit = 32 << 20
    static let manifestLimit = 1 << 20

    /// - Throws: `RegistryError` naming the field of the manifest, or what is wrong with the executable.
    public init(manifestBytes: [UInt8], executable: [UInt8]) throws(RegistryError) {
        do {
            manifest = try PluginManifest(parsing: manifestBytes)
        } catch {
            throw RegistryError(.invalidManifest, "plugin.json was refused at \(error)")
        }
        guard executable.count <= Self.executableLimit else {
            throw RegistryError(
                .tooLarge,
                "the executable has \(executable.count) bytes; the limit is \(Self.executableLimit); strip it")
        }
        guard executable.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            throw RegistryError(
                .missingExecutable,
                "runtime.executable: \"\(manifest.executable)\" is not an ELF program; build it for Linux first")
        }
        self.manifestBytes = manifestBytes
        self.executable = executable
        executableDigest = Self.digest(of: executable)
    }

    /// Reads `plugin.json` and the executable that it names from a directory. Symbolic links are not followed inside
    /// it.
    public static func load(directory: String) throws(RegistryError) -> PluginBundle {
        let root = FilePath(directory)
        let manifestPath = root.appending("plugin.json")
        let manifestBytes = try read("plugin.json", in: root, limit: manifestLimit, orElse: .unreadable)
        let manifest: PluginManifest
        do {
            manifest = try PluginManifest(parsing: manifestBytes)
        } catch {
            throw RegistryError(.invalidManifest, "\(manifestPath) was refused at \(error)")
        }
        let program = FilePath(manifest.executable)
        let executable = try read(program, in: root, limit: executableLimit, orElse: .missingExecutable)
        return try PluginBundle(manifestBytes: manifestBytes, executable: executable)
    }

    static func digest(of bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0" + hex : hex
        }.joined()
    }

    static func read(
        _ name: FilePath, in root: FilePath, limit: Int, orElse code: RegistryError.Code
    ) throws(RegistryError) -> [UInt8] {
        let path = root.appending(name.components)
        let field = code == .missingExecutable ? "runtime.executable: " : ""
        do {
            let file = try FileOperations.openFile(name, in: root)
            return try file.closeAfter {
                guard FileOperations.isRegular(file) else {
                    throw RegistryError(code, "\(field)\(path) is not a regular file")
                }
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
                    if count == 0 { return bytes }
                    bytes.append(contentsOf: chunk[..<count])
                    if bytes.count > limit { throw Errno.fileTooLarge }
                }
            }
        } catch let error as RegistryError {
            throw error
        } catch {
            if error as? Errno == .fileTooLarge {
                throw RegistryError(.tooLarge, "\(path) is longer than the limit of \(limit) bytes")
            }
            throw RegistryError(code, "\(field)\(path) cannot be read: \(error)")
        }
    }
}
