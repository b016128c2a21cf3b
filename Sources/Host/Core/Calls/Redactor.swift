internal import Crypto
internal import JSONBytes
internal import PluginABI
internal import Synchronization

/// Takes the credentials that an instance was ever lent out of whatever it says: results, errors, logs, causes.
///
/// It recognises secrets without keeping them: of each form (`SecretForms`) it holds the length, a rolling hash under a
/// random base to find candidates in one pass, and an HMAC under a random key to be sure. A secret in pieces, or in yet
/// another encoding, passes.
final class Redactor: Sendable {
    static let mark = "[redacted]"

    private struct Known: Sendable {
        /// Codes by length and rolling hash.
        var forms: [Int: [UInt64: Set<[UInt8]>]] = [:]
        /// Of the plain forms, to learn each secret once.
        var learned: Set<[UInt8]> = []
    }
    private let known: Mutex<Known> = Mutex(Known())
    private let base = UInt64.random(in: .min ... .max) | 1
    private let key = SymmetricKey(size: .bits256)

    /// Remembers credentials of `HostLimits.redactedFromBytes` and more; shorter ones are too common to be told apart.
    func learn(_ credentials: [Credential]) {
        for credential in credentials where credential.value.count >= HostLimits.redactedFromBytes {
            let plain = credential.value.withBytes { code($0) }
            guard known.withLock({ $0.learned.insert(plain).inserted }) else { continue }
            SecretForms.each(of: credential.value) { form in
                let rolling = form.reduce(0 as UInt64) { $0 &* base &+ UInt64($1) }
                let print = form.withUnsafeBytes { code($0) }
                known.withLock { _ = $0.forms[form.count, default: [:]][rolling, default: []].insert(print) }
            }
        }
    }

    func redact(bytes: [UInt8]) -> [UInt8] { redacted(bytes) ?? bytes }

    func redact(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return redacted(bytes).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// A JSON document with every string, name and number redacted, however it was escaped; the same bytes if none held
    /// a secret.
    func redact(json: [UInt8]) -> [UInt8] {
        guard known.withLock({ !$0.forms.isEmpty }), let value = try? JSONValue(parsing: json) else { return json }
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
        let forms = known.withLock { $0.forms.filter { $0.key <= bytes.count } }
        // Longest first, so that a secret inside another leaves no rest of the longer one.
        return forms.sorted { $0.key > $1.key }.reduce(nil as [UInt8]?) { found, forms in
            replace(forms.value, of: forms.key, in: found ?? bytes) ?? found
        }
    }

    private func replace(_ codes: [UInt64: Set<[UInt8]>], of count: Int, in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= count else { return nil }
        let leading = (1..<count).reduce(1 as UInt64) { power, _ in power &* base }
        var hash = bytes[..<count].reduce(0 as UInt64) { $0 &* base &+ UInt64($1) }
        // Most texts hold one secret's forms: a comparison instead of a look into a dictionary for every byte.
        let only = codes.count == 1 ? codes.first : nil
        var output: [UInt8] = []
        var copied = 0
        var start = 0
        while true {
            let found = only.map { $0.key == hash ? $0.value : nil } ?? codes[hash]
            if let found, start >= copied,
                found.contains(
                    bytes.withUnsafeBytes { code(UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) })
            {
                output.append(contentsOf: bytes[copied..<start])
                output.append(contentsOf: Self.mark.utf8)
                copied = start + count
            }
            guard start + count < bytes.count else { break }
            hash = (hash &- UInt64(bytes[start]) &* leading) &* base &+ UInt64(bytes[start + count])
            start += 1
        }
        guard copied > 0 else { return nil }
        return output + bytes[copied...]
    }

    private func code(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }
}
