internal import Crypto
internal import JSONBytes
internal import PluginABI
internal import Synchronization

/// Takes the credentials that an instance was ever lent out of whatever it says: results, errors, logs, causes.
///
/// It recognises secrets without keeping them: of each form (`SecretForms`) it holds the length, 32 bits of a product
/// with a random number to find candidates in one pass, and an HMAC under a random key to be sure. A secret in pieces,
/// or in yet another encoding, passes; how a stream of bytes is cut does not matter (`RedactedStream`).
final class Redactor: Sendable {
    static let mark = "[redacted]"
    /// Bytes that a candidate is known by, as many as a word has. No secret that is searched for has fewer.
    static let window = MemoryLayout<UInt64>.size

    private struct Form: Sendable {
        var count: Int
        var code: [UInt8]
    }

    private struct Known: Sendable {
        /// By the print of their first bytes.
        var forms: [UInt32: [Form]] = [:]
        /// One bit for the upper half of each print: a look here passes most places of a text.
        var bits = [UInt64](repeating: 0, count: 1_024)
        /// Codes of the plain forms, to learn each secret once.
        var learned: Set<[UInt8]> = []
        /// In bytes.
        var longest = 0

        func mayHold(_ print: UInt32) -> Bool { bits[Int(print >> 22)] >> UInt64(print >> 16 & 63) & 1 == 1 }

        mutating func add(_ form: Form, _ print: UInt32) {
            bits[Int(print >> 22)] |= 1 << UInt64(print >> 16 & 63)
            forms[print, default: []].append(form)
            longest = max(longest, form.count)
        }
    }
    private let known: Mutex<Known> = Mutex(Known())
    private let factor = UInt64.random(in: .min ... .max) | 1
    private let key = SymmetricKey(size: .bits256)

    /// Remembers credentials of `HostLimits.redactedFromBytes` and more; shorter ones are too common to be told apart.
    func learn(_ credentials: [Credential]) {
        for credential in credentials where credential.value.count >= HostLimits.redactedFromBytes {
            let plain = credential.value.withBytes { code($0) }
            guard known.withLock({ $0.learned.insert(plain).inserted }) else { continue }
            SecretForms.each(of: credential.value) { form in
                let start = form.prefix(Self.window).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
                let code = form.withUnsafeBytes { self.code($0) }
                known.withLock { $0.add(Form(count: form.count, code: code), print(start)) }
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
        guard bytes.count >= Self.window else { return nil }
        let found = find(in: bytes).found
        guard !found.isEmpty else { return nil }
        var output: [UInt8] = []
        var copied = 0
        for match in found {
            output.append(contentsOf: bytes[copied..<match.lowerBound])
            output.append(contentsOf: Self.mark.utf8)
            copied = match.upperBound
        }
        return output + bytes[copied...]
    }

    /// Where secrets stand, and how long the longest of all forms is.
    func find(in bytes: [UInt8]) -> (found: [Range<Int>], longest: Int) {
        let known = known.withLock { $0 }
        guard bytes.count >= Self.window, !known.forms.isEmpty else { return ([], known.longest) }
        return (bytes.withUnsafeBytes { matches(of: known, in: $0) }, known.longest)
    }

    /// Where forms stand, in order; those that overlap are one.
    private func matches(of known: Known, in bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var ends: [[UInt8]: Int] = [:]
        // Who repeats the beginning of a secret could have this search for long. Then no closer look is taken.
        var patience = 4 * bytes.count + (1 << 20)
        var last: UInt64 = 0
        for index in bytes.indices {
            last = last << 8 | UInt64(bytes[index])
            let start = index - Self.window + 1
            let print = print(last)
            guard known.mayHold(print), start >= 0, let forms = known.forms[print] else { continue }
            for form in forms where start + form.count <= bytes.count && start >= ends[form.code, default: 0] {
                let match = start..<start + form.count
                if patience > 0, code(UnsafeRawBufferPointer(rebasing: bytes[match])) != form.code {
                    patience -= form.count + 256
                    continue
                }
                ends[form.code] = match.upperBound
                if let before = found.last, match.lowerBound < before.upperBound {
                    found[found.count - 1] = before.lowerBound..<max(before.upperBound, match.upperBound)
                } else {
                    found.append(match)
                }
            }
        }
        return found
    }

    private func print(_ start: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: start &* factor >> 32) }

    private func code(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }
}
