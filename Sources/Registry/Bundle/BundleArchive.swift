internal import JSONBytes
internal import PluginABI

/// A bundle as one file, `NAME-VERSION.nexus` (manifest-v1.md section 8).
extension PluginBundle {
    /// Files of a bundle that are for people only.
    public enum Document: String, Sendable, CaseIterable {
        case readme = "README.md"
        case license = "LICENSE"
    }

    static let manifestName = "plugin.json"

    /// In bytes: the longest archive that can hold a bundle.
    public static let archiveLimit = TarArchive.length(
        of: [manifestLimit, executableLimit] + Document.allCases.map { _ in documentLimit })

    /// What the file should be called.
    public var archiveName: String { "\(manifest.name)-\(manifest.version).nexus" }

    /// The same bundle gives the same bytes, wherever and whenever.
    public func archive() -> [UInt8] {
        var files = [
            TarArchive.File(name: Self.manifestName, bytes: manifestBytes, isExecutable: false),
            TarArchive.File(name: manifest.executable, bytes: executable, isExecutable: true),
        ]
        for (document, bytes) in documents {
            files.append(TarArchive.File(name: document.rawValue, bytes: bytes, isExecutable: false))
        }
        return TarArchive.encode(files)
    }

    /// - Throws: `RegistryError` for every archive but those that `archive()` makes.
    public init(archive: [UInt8]) throws(RegistryError) {
        guard archive.count <= Self.archiveLimit else {
            throw RegistryError(
                .tooLarge, "the bundle has \(archive.count) bytes; the limit is \(Self.archiveLimit)")
        }
        let files: [TarArchive.File]
        do {
            files = try TarArchive.decode(archive, files: 2 + Document.allCases.count, bytes: Self.executableLimit)
        } catch {
            guard error.code == .invalidBundle else { throw error }
            throw RegistryError(.invalidBundle, "the bundle was refused: \(error.message)")
        }
        func refused(_ reason: String) -> RegistryError {
            RegistryError(.invalidBundle, "the bundle was refused: \(reason)")
        }
        guard let manifestFile = files.first(where: { $0.name == Self.manifestName }) else {
            throw refused("it holds no plugin.json")
        }
        let manifest = try Self.manifest(manifestFile.bytes, at: Self.manifestName)
        var documents: [Document: [UInt8]] = [:]
        var program: [UInt8]?
        for file in files {
            let isProgram = file.name == manifest.executable
            let name = JSONValue.quoted(file.name)
            if isProgram {
                program = file.bytes
            } else if let document = Document(rawValue: file.name) {
                documents[document] = file.bytes
            } else if file.name != Self.manifestName {
                throw refused("\(name) is in it, and plugin.json names no such file")
            }
            guard file.isExecutable == isProgram else {
                throw refused("\(name) has the wrong mode: the executable has 0755, everything else 0644")
            }
        }
        guard let program else {
            throw RegistryError(
                .missingExecutable, "runtime.executable: the bundle holds no \"\(manifest.executable)\"")
        }
        try self.init(manifestBytes: manifestFile.bytes, executable: program, documents: documents)
    }
}
