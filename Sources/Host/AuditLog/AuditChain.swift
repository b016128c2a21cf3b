internal import Crypto
internal import JSONBytes

/// Holds the bytes of a log to its promise. Needs no key and no host: usable on a copy, offline.
public enum AuditChain {
    /// What a log ends with.
    public struct Tail: Sendable, Equatable {
        /// Number of the last entry; 0 for an empty log.
        public var sequence: Int
        /// SHA-256 of the last line, hex.
        public var hash: String
        /// Bytes up to and with the last newline.
        public var end: Int
        /// Bytes after it.
        public var torn: [UInt8]
    }

    /// - Throws: `AuditError` with `broken`, naming the first line that does not fit and why.
    public static func check(_ bytes: [UInt8]) throws(AuditError) -> Tail {
        var tail = Tail(sequence: 0, hash: AuditLog.genesis, end: 0, torn: [])
        var rest = bytes[...]
        while let newline = rest.firstIndex(of: 0x0A) {
            let line = rest[..<newline]
            let number = tail.sequence + 1
            guard let entry = try? JSONValue(parsing: Array(line)) else {
                throw AuditError(.broken, "audit entry \(number) is not JSON: the log was edited or damaged")
            }
            guard entry["seq"]?.intValue == number else {
                throw AuditError(.broken, "audit entry \(number) is missing or out of order: the log was edited")
            }
            guard entry["prev"]?.stringValue == tail.hash else {
                throw AuditError(
                    .broken, "audit entry \(number) does not follow entry \(number - 1): the log was edited")
            }
            tail.sequence = number
            tail.hash = hash(of: line)
            rest = rest[(newline + 1)...]
            tail.end = newline + 1
        }
        tail.torn = Array(rest)
        return tail
    }

    static func hash(of line: ArraySlice<UInt8>) -> String {
        SHA256.hash(data: line).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0" + hex : hex
        }.joined()
    }
}
