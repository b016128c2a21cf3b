internal import SystemPackage

/// Executables by content: `store/sha256/<digest>`. A file's name is its promise, and reading checks it.
public struct BundleStore: Sendable {
    private let root: FilePath

    /// - Parameter directory: created with mode 0700 if it does not exist.
    public init(directory: String) throws(RegistryError) {
        root = FilePath(directory).appending("sha256")
        try Self.makeDirectory(FilePath(directory))
        try Self.makeDirectory(root)
    }

    /// Writes the executable under its digest: to a new file first, renamed once it is whole and on disk.
    public func save(_ bundle: PluginBundle) throws(RegistryError) {
        let target = root.appending(bundle.executableDigest)
        let fresh = root.appending("\(bundle.executableDigest).\(UInt64.random(in: .min ... .max)).new")
        do {
            let file = try FileDescriptor.open(
                fresh, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite])
            try file.closeAfter {
                _ = try file.writeAll(bundle.executable)
                try FileOperations.sync(file)
            }
            try FileOperations.rename(fresh, to: target)
        } catch {
            FileOperations.unlink(fresh)
            throw RegistryError(.storeFailed, "the executable could not be stored at \(target): \(error)")
        }
    }

    /// The bytes whose SHA-256 is `digest`.
    ///
    /// - Throws: `digestMismatch` if the file was changed since it was stored.
    public func executable(digest: String) throws(RegistryError) -> [UInt8] {
        guard Self.isDigest(digest) else { throw RegistryError(.unreadable, "\"\(digest)\" is not a SHA-256 in hex") }
        let path = root.appending(digest)
        let bytes = try PluginBundle.read(
            FilePath(digest), in: root, limit: PluginBundle.executableLimit, orElse: .unreadable)
        let actual = PluginBundle.digest(of: bytes)
        guard actual == digest else {
            throw RegistryError(
                .digestMismatch,
                "\(path) has SHA-256 \(actual), not that of its name: it was changed; install the plugin again")
        }
        return bytes
    }

    /// Removes an executable; it is no error if there is none.
    public func remove(digest: String) {
        if Self.isDigest(digest) { FileOperations.unlink(root.appending(digest)) }
    }

    /// Nothing else is appended to the store's path.
    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func makeDirectory(_ path: FilePath) throws(RegistryError) {
        do {
            try FileOperations.makeDirectory(path, mode: 0o700)
        } catch {
            throw RegistryError(.storeFailed, "the directory \(path) could not be made: \(error)")
        }
    }
}
