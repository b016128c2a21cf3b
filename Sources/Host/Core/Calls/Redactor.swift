internal import JSONBytes
internal import PluginABI

/// Takes the values of a call's credentials out of whatever a plugin answers, as they are and as JSON writes them.
struct Redactor {
    private let needles: [[UInt8]]
    static let mark = Array("[redacted]".utf8)

    init(_ credentials: [Credential]) {
        var needles: Set<[UInt8]> = []
        for credential in credentials where credential.value.count >= HostLimits.redactedFromBytes {
            let plain = credential.value.withBytes { Array($0) }
            needles.insert(plain)
            if let text = String(validating: plain, as: UTF8.self) {
                needles.insert(Array(JSONValue.string(text).encoded().dropFirst().dropLast()))
            }
        }
        self.needles = needles.sorted { $0.count > $1.count }
    }

    /// Wipes the copies that the search needed.
    func wipe() { for var needle in needles { needle.wipe() } }

    func redact(_ bytes: [UInt8]) -> [UInt8] { needles.reduce(bytes) { Self.replace($1, in: $0) } }

    func redact(_ text: String) -> String { String(decoding: redact(Array(text.utf8)), as: UTF8.self) }

    private static func replace(_ needle: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard let first = needle.first, bytes.count >= needle.count else { return bytes }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            if bytes[position] == first, bytes[position...].starts(with: needle) {
                output.append(contentsOf: mark)
                position += needle.count
            } else {
                output.append(bytes[position])
                position += 1
            }
        }
        return output
    }
}
