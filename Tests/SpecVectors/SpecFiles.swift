import Glibc
public import JSONBytes
import Testing

/// The written specification and its vectors, read where they lie in the repository.
public enum SpecFiles {
    public static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(
        separator: "/")

    public static func bytes(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen("\(root)/\(path)", "r"), "\(path) is missing")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    public static func json(_ path: String) throws -> JSONValue { try JSONValue(parsing: bytes(path)) }

    public static func specification() throws -> String {
        try #require(String(validating: bytes("sdk/spec/abi-v1.md"), as: UTF8.self))
    }

    /// A list of the machine-readable half of the specification.
    public static func schema(_ list: String) throws -> [JSONValue] {
        try #require(json("sdk/spec/abi-v1.json")[list]?.arrayValue)
    }
}

extension Substring {
    public func trimming(_ character: Character) -> String {
        String(drop { $0 == character }.reversed().drop { $0 == character }.reversed())
    }
}

/// Bytes as lower-case hex, two digits each.
public enum Hex {
    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    public static func bytes(_ text: some StringProtocol) throws -> [UInt8] {
        let digits = try text.map { try #require($0.hexDigitValue, "\($0) is no hex digit") }
        try #require(digits.count % 2 == 0)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
