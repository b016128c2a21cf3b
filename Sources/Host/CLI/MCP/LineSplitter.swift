internal import Glibc

/// Cuts a byte stream into lines, holding at most one line of bounded length.
struct LineSplitter {
    enum Line: Equatable {
        case text([UInt8])
        /// The line was longer than the limit; its bytes are gone.
        case tooLong
    }

    private let limit: Int
    private var line: [UInt8] = []
    private var isTooLong = false

    /// - Parameter limit: the longest line, in bytes, without its newline.
    init(limit: Int) { self.limit = limit }

    /// The lines that end in this piece of the stream; empty lines are left out.
    mutating func push(_ bytes: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var rest = bytes[...]
        while let newline = Self.newline(in: rest) {
            append(rest[..<newline])
            if let line = take() { lines.append(line) }
            rest = rest[(newline + 1)...]
        }
        append(rest)
        return lines
    }

    /// By memchr(3): some lines are long.
    private static func newline(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress, let found = memchr(start, 0x0A, buffer.count) else { return nil }
            return bytes.startIndex + (UnsafeRawPointer(found) - start)
        }
    }

    /// What stood after the last newline when the stream ended.
    mutating func finish() -> Line? { take() }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard !isTooLong else { return }
        guard line.count + bytes.count <= limit else {
            isTooLong = true
            line = []
            return
        }
        line.append(contentsOf: bytes)
    }

    private mutating func take() -> Line? {
        defer {
            line = []
            isTooLong = false
        }
        if isTooLong { return .tooLong }
        let isBlank = line.allSatisfy { [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")].contains($0) }
        return isBlank ? nil : .text(line)
    }
}
