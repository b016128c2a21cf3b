/// The list of files at the end of a zip (APPNOTE.TXT 6.3, sections 4.3.12 and 4.3.16), as far as Python's zipimport
/// reads it: what is not found here is not found there. Of the files themselves nothing is read.
///
/// The bytes are an author's and hostile: every offset is held to the file before it is used.
struct ZipDirectory {
    private let bytes: [UInt8]
    /// Where the directory is.
    private let range: Range<Int>
    /// What stands before the zip and is not counted in its offsets, such as a `#!` line.
    private let lead: Int

    private static let endBytes = 22
    private static let entryBytes = 46
    private static let commentLimit = 0xFFFF

    /// - Returns: nil for bytes that do not end in a zip's directory.
    init?(of bytes: [UInt8]) {
        self.bytes = bytes
        guard let end = Self.end(of: bytes) else { return nil }
        let size = Self.number(bytes, end + 12, 4)
        let offset = Self.number(bytes, end + 16, 4)
        guard size + offset <= end else { return nil }
        range = end - size..<end
        lead = range.lowerBound - offset
    }

    /// Whether a file of this name is listed, and begins where the list says.
    func lists(_ name: String) -> Bool {
        var place = range.lowerBound
        while place + Self.entryBytes <= range.upperBound, signature(at: place) == 0x0201_4B50 {
            let start = place + Self.entryBytes
            let nameEnd = start + number(place + 28, 2)
            let next = nameEnd + number(place + 30, 2) + number(place + 32, 2)
            guard next <= range.upperBound else { return false }
            if bytes[start..<nameEnd].elementsEqual(name.utf8) {
                let file = lead + number(place + 42, 4)
                return file + 4 <= range.lowerBound && signature(at: file) == 0x0403_4B50
            }
            place = next
        }
        return false
    }

    /// The last record that ends a directory; a comment may follow it.
    private static func end(of bytes: [UInt8]) -> Int? {
        guard bytes.count >= endBytes else { return nil }
        let last = bytes.count - endBytes
        return (max(0, last - commentLimit)...last).last { number(bytes, $0, 4) == 0x0605_4B50 }
    }

    private func signature(at place: Int) -> Int { number(place, 4) }
    private func number(_ place: Int, _ width: Int) -> Int { Self.number(bytes, place, width) }

    /// Little-endian, of at most four bytes, which the caller has found to be there.
    private static func number(_ bytes: [UInt8], _ place: Int, _ width: Int) -> Int {
        bytes[place..<place + width].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
