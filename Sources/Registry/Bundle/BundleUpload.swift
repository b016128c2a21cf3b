/// A bundle in one request body: manifest length u32 little-endian, manifest, executable.
extension PluginBundle {
    public var upload: [UInt8] {
        let length = UInt32(truncatingIfNeeded: manifestBytes.count)
        return withUnsafeBytes(of: length.littleEndian) { Array($0) } + manifestBytes + executable
    }

    /// In bytes: the longest body that can hold a bundle.
    public static let uploadLimit = 4 + manifestLimit + executableLimit

    public init(upload: [UInt8]) throws(RegistryError) {
        guard upload.count >= 4 else { throw RegistryError(.unreadable, "the upload is cut off") }
        let length = upload[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.manifestLimit, upload.count >= 4 + length else {
            throw RegistryError(.unreadable, "the upload announces a manifest of \(length) bytes and is cut off")
        }
        try self.init(manifestBytes: Array(upload[4..<4 + length]), executable: Array(upload[(4 + length)...]))
    }
}
