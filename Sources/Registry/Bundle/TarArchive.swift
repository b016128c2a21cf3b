// Bytes of a stranger become named files here. Nothing is written to a disk: what a file may be called is compared, not
// sanitized, and the sizes are checked against the limits before anything is copied.
internal import JSONBytes

/// The files of a bundle as one archive: ustar, sorted by name, and the same bytes for the same files.
enum TarArchive {
    struct File: Equatable {
        var name: String
        var bytes: [UInt8]
        var isExecutable: Bool
    }

    /// Two blocks of zeros.
    private static let end = [UInt8](repeating: 0, count: 2 * TarHeader.blockBytes)

    static func encode(_ files: [File]) -> [UInt8] {
        var archive: [UInt8] = []
        archive.reserveCapacity(length(of: files.map(\.bytes.count)))
        for file in files.sorted(by: { precedes($0.name, $1.name) }) {
            let header = TarHeader(name: file.name, size: file.bytes.count, isExecutable: file.isExecutable)
            archive += header.encoded
            archive += file.bytes
            archive += [UInt8](repeating: 0, count: padding(after: file.bytes.count))
        }
        return archive + end
    }

    /// In bytes: what an archive of files of these sizes takes.
    static func length(of sizes: [Int]) -> Int {
        sizes.reduce(end.count) { $0 + TarHeader.blockBytes + $1 + padding(after: $1) }
    }

    /// - Parameter limits: the most files, and the most bytes of one.
    /// - Throws: `RegistryError.Code.invalidBundle` for anything that `encode` would not have written.
    static func decode(_ archive: [UInt8], files limit: Int, bytes: Int) throws(RegistryError) -> [File] {
        var files: [File] = []
        var rest = archive[...]
        while true {
            guard rest.count >= TarHeader.blockBytes else { throw refused("it is cut off in a header") }
            if rest.first == 0 { break }
            let header = try TarHeader(parsing: rest.prefix(TarHeader.blockBytes))
            let name = JSONValue.quoted(header.name)
            guard files.count < limit else { throw refused("it holds more than \(limit) files, from \(name) on") }
            if let last = files.last, !precedes(last.name, header.name) {
                throw refused("\(name) comes twice or after a name that sorts later; make it with `nexus pack`")
            }
            guard header.size <= bytes else {
                throw RegistryError(
                    .tooLarge, "the bundle was refused: \(name) has \(header.size) bytes; the limit is \(bytes)")
            }
            rest = rest.dropFirst(TarHeader.blockBytes)
            let padded = header.size + padding(after: header.size)
            guard rest.count >= padded else { throw refused("it is cut off in \(name)") }
            guard rest.dropFirst(header.size).prefix(padded - header.size).allSatisfy({ $0 == 0 }) else {
                throw refused("something is hidden after the end of \(name)")
            }
            files.append(
                File(name: header.name, bytes: Array(rest.prefix(header.size)), isExecutable: header.isExecutable))
            rest = rest.dropFirst(padded)
        }
        guard rest.elementsEqual(end) else {
            throw refused("it does not end with two blocks of zeros and nothing after them")
        }
        return files
    }

    private static func padding(after size: Int) -> Int {
        (TarHeader.blockBytes - size % TarHeader.blockBytes) % TarHeader.blockBytes
    }

    /// By bytes, whatever the language.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func refused(_ reason: String) -> RegistryError { RegistryError(.invalidBundle, reason) }
}
