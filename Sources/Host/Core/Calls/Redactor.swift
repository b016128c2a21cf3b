internal import Crypto
internal import JSONBytes
internal import PluginABI
internal import Synchronization

/// Takes the credentials that an instance was ever lent out of whatever it says: results, errors, logs, causes.
///
/// It recognises secrets without keeping them: of each it holds the length, a rolling hash under a random base to find
/// candidates in one pass, and an HMAC under a random key to be sure. A secret in pieces, or in another encoding than
/// its own and JSON's, passes.
final class Redactor: Sendable {
    static let mark = "[redacted]"

    private struct Print: Hashable, Sendable {
        var count: Int
        var rolling: UInt64
        var code: [UInt8]
    }
    private let prints: Mutex<Set<Print>> = Mutex([])
    private let base = UInt64.random(in: .min ... .max) | 1
    private let key = SymmetricKey(size: .bits256)

    /// Remembers credentials of `HostLimits.redactedFromBytes` and more; shorter ones are too common to be told apart.
    func learn(_ credentials: [Credential]) {
        for credential in credentials where credential.value.count >= HostLimits.redactedFromBytes {
            var plain = credential.value.withBytes { Array($0) }
            learn(plain)
            // In a log, a plugin may write it as JSON does.
            if let text = String(validating: plain, as: UTF8.self) {
                var escaped = Array(JSONValue.string(text).encoded().dropFirst().dropLast())
                if escaped != plain { learn(escaped) }
                escaped.wipe()
            }
            plain.wipe()
        }
    }

    private func learn(_ bytes: [UInt8]) {
        let print = Print(
            count: bytes.count, rolling: bytes.reduce(0) { $0 &* base &+ UInt64($1) }, code: code(bytes[...]))
        prints.withLock { _ = $0.insert(print) }
    }

    func redact(bytes: [UInt8]) -> [UInt8] { redacted(bytes) ?? bytes }

    func redact(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return redacted(bytes).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// A JSON document with every string, name and number redacted, however it was escaped; the same bytes if none held
    /// a secret.
    func redact(json: [UInt8]) -> [UInt8] {
        guard prints.withLock({ !$0.isEmpty }), let value = try? JSONValue(parsing: json) else { return json }
        let clean = redact(value)
        return clean == value ? json : clean.encoded()
    }

    private func redact(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(redact(text))
        case .number(let number):
            redacted(Array(number.text.utf8)).map { .string(String(decoding: $0, as: UTF8.self)) } ?? value
        case .array(let items): .array(items.map(redact))
        case .object(let object):
            .object(JSONObject(object.members.map { (key: redact($0.key), value: redact($0.value)) }))
        case .null, .bool: value
        }
    }

    /// The bytes without the secrets; nil if there was none.
    private func redacted(_ bytes: [UInt8]) -> [UInt8]? {
        let known = prints.withLock { $0.filter { $0.count <= bytes.count } }
        // Longest first, so that a secret inside another leaves no rest of the longer one.
        return known.sorted { $0.count > $1.count }.reduce(nil as [UInt8]?) { found, print in
            replace(print, in: found ?? bytes) ?? found
        }
    }

    private func replace(_ print: Print, in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= print.count else { return nil }
        let leading = (1..<print.count).reduce(1 as UInt64) { power, _ in power &* base }
        var hash = bytes[..<print.count].reduce(0 as UInt64) { $0 &* base &+ UInt64($1) }
        var output: [UInt8] = []
        var copied = 0
        var start = 0
        while true {
            if hash == print.rolling, start >= copied, code(bytes[start..<start + print.count]) == print.code {
                output.append(contentsOf: bytes[copied..<start])
                output.append(contentsOf: Self.mark.utf8)
                copied = start + print.count
            }
            guard start + print.count < bytes.count else { break }
            hash = (hash &- UInt64(bytes[start]) &* leading) &* base &+ UInt64(bytes[start + print.count])
            start += 1
        }
        guard copied > 0 else { return nil }
        return output + bytes[copied...]
    }

    private func code(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }
}
