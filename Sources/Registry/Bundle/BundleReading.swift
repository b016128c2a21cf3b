internal import PluginABI
internal import SystemPackage

/// From a path to a bundle.
extension PluginBundle {
    /// Reads a directory or a bundle file.
    ///
    /// - Throws: `RegistryError` naming the path, and the field or file at fault.
    public static func load(_ path: String) throws(RegistryError) -> PluginBundle {
        if FileOperations.isDirectory(FilePath(path)) { return try load(directory: path) }
        let bytes = try read(path, limit: archiveLimit, orElse: .unreadable) { () throws in
            try FileOperations.openGiven(FilePath(path))
        }
        do {
            return try PluginBundle(archive: bytes)
        } catch {
            throw RegistryError(error.code, "\(path): \(error.message)")
        }
    }

    /// Reads `plugin.json`, the executable that it names and what there is for people from a directory. Symbolic links
    /// are not followed inside it.
    public static func load(directory: String) throws(RegistryError) -> PluginBundle {
        let root = FilePath(directory)
        let bytes = try read(FilePath(manifestName), in: root, limit: manifestLimit, orElse: .unreadable)
        let manifest = try manifest(bytes, at: "\(root.appending(manifestName))")
        let program = FilePath(manifest.executable)
        let executable = try read(program, in: root, limit: executableLimit, orElse: .missingExecutable)
        var documents: [Document: [UInt8]] = [:]
        for document in Document.allCases where FileOperations.exists(root.appending(document.rawValue)) {
            documents[document] = try read(
                FilePath(document.rawValue), in: root, limit: documentLimit, orElse: .unreadable)
        }
        return try PluginBundle(manifestBytes: bytes, executable: executable, documents: documents)
    }

    static func read(
        _ name: FilePath, in root: FilePath, limit: Int, orElse code: RegistryError.Code
    ) throws(RegistryError) -> [UInt8] {
        try read("\(root.appending(name.components))", limit: limit, orElse: code) { () throws in
            try FileOperations.openFile(name, in: root)
        }
    }

    private static func read(
        _ path: String, limit: Int, orElse code: RegistryError.Code, open: () throws -> FileDescriptor
    ) throws(RegistryError) -> [UInt8] {
        let field = code == .missingExecutable ? "runtime.executable: " : ""
        do {
            let file = try open()
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
