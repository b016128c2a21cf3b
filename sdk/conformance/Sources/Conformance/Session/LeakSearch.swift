internal import Glibc

extension [UInt8] {
    /// Whether these bytes occur, as they are or in hexadecimal.
    func holds(_ needle: [UInt8]) -> Bool {
        guard !needle.isEmpty, count >= needle.count else { return false }
        return contains(run: needle) || contains(run: needle.hexadecimal("0123456789abcdef"))
            || contains(run: needle.hexadecimal("0123456789ABCDEF"))
    }

    /// With each `\\uXXXX` of JSON that stands for an ASCII character replaced by it; nil if there is none.
    var withoutUnicodeEscapes: [UInt8]? {
        guard contains(run: Array("\\u00".utf8)) else { return nil }
        var plain: [UInt8] = []
        plain.reserveCapacity(count)
        var index = 0
        while index < count {
            if let byte = escape(at: index) {
                plain.append(byte)
                index += 6
            } else {
                plain.append(self[index])
                index += 1
            }
        }
        return plain
    }

    private func escape(at index: Int) -> UInt8? {
        guard index + 6 <= count, self[index] == UInt8(ascii: "\\"), self[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        let digits = String(decoding: self[index + 2..<index + 6], as: UTF8.self)
        return UInt8(digits, radix: 16)
    }

    private func hexadecimal(_ digits: StaticString) -> [UInt8] {
        digits.withUTF8Buffer { digits in flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] } }
    }

    /// By the C library: data comes by the megabyte.
    private func contains(run: [UInt8]) -> Bool {
        guard let first = run.first, count >= run.count else { return false }
        return withUnsafeBytes { bytes in
            guard var at = bytes.baseAddress else { return false }
            let end = at + (bytes.count - run.count) + 1
            while at < end, let found = memchr(at, Int32(first), end - at) {
                if memcmp(found, run, run.count) == 0 { return true }
                at = UnsafeRawPointer(found) + 1
            }
            return false
        }
    }
}
