// What an author hands over: a manifest and the executable that it names. Both are hostile until they are checked, and
// both are read once: what was checked is what is stored, and what is stored is what runs.
internal import Crypto
public import PluginABI

/// A plugin as bytes.
public struct PluginBundle: Sendable {
    public let manifest: PluginManifest
    public let manifestBytes: [UInt8]
    public let executable: [UInt8]
    /// SHA-256 of the executable, lower-case hex.
    public let executableDigest: String
    /// What came along for people to read; never looked into, never run.
    public let documents: [Document: [UInt8]]

    /// In bytes; an executable is run from a sealed memory file, so it has to fit there.
    public static let executableLimit = 32 << 20
    static let manifestLimit = ManifestLimits.manifestBytes
    /// In bytes, each.
    public static let documentLimit = 1 << 20
    /// In bytes: a `#!` line before a zip; the kernel reads no longer one (execve(2)).
    static let interpreterLineLimit = 256

    /// - Throws: `RegistryError` naming the field of the manifest, or what is wrong with the executable.
    public init(
        manifestBytes: [UInt8], executable: [UInt8], documents: [Document: [UInt8]] = [:]
    ) throws(RegistryError) {
        manifest = try Self.manifest(manifestBytes, at: Self.manifestName)
        guard executable.count <= Self.executableLimit else {
            throw RegistryError(
                .tooLarge,
                "the executable has \(executable.count) bytes; the limit is \(Self.executableLimit); strip it")
        }
        for document in Document.allCases {
            guard let count = documents[document]?.count, count > Self.documentLimit else { continue }
            throw RegistryError(
                .tooLarge, "\(document.rawValue) has \(count) bytes; the limit is \(Self.documentLimit)")
        }
        try Self.check(executable, of: manifest)
        self.manifestBytes = manifestBytes
        self.executable = executable
        self.documents = documents
        executableDigest = Self.digest(of: executable)
    }

    static func manifest(_ bytes: [UInt8], at path: String) throws(RegistryError) -> PluginManifest {
        do {
            return try PluginManifest(parsing: bytes)
        } catch {
            throw RegistryError(.invalidManifest, "\(path) was refused at \(error)")
        }
    }

    /// Is it what its runtime can run, as far as the first bytes of a program and the list of files of a zip tell?
    private static func check(_ executable: [UInt8], of manifest: PluginManifest) throws(RegistryError) {
        let what: String
        switch manifest.runtime {
        case .native:
            if executable.starts(with: [0x7F, 0x45, 0x4C, 0x46]) { return }
            what = "an ELF program; build it for Linux first"
        case .python:
            let isZip = afterInterpreterLine(executable).starts(with: [0x50, 0x4B, 0x03, 0x04])
            if isZip, ZipDirectory(of: executable)?.lists("__main__.py") == true { return }
            what =
                "a zip application\(isZip ? " with __main__.py at its root" : ""); "
                + "make it with `python3 -m nexus_plugin.build`"
        }
        throw RegistryError(.missingExecutable, "runtime.executable: \"\(manifest.executable)\" is not \(what)")
    }

    private static func afterInterpreterLine(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard bytes.starts(with: "#!".utf8) else { return bytes[...] }
        let line = bytes.prefix(interpreterLineLimit)
        guard let end = line.firstIndex(of: 0x0A) else { return [] }
        return bytes[(end + 1)...]
    }

    public static func digest(of bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0" + hex : hex
        }.joined()
    }
}
