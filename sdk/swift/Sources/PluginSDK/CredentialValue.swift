/// A credential of one call. It cannot be copied, so it cannot be kept by accident; it renders as `‹secret›` where it
/// renders at all; and its bytes are overwritten when the call ends, even if somebody still holds it.
public struct CredentialValue: ~Copyable, Sendable {
    private let box: CredentialBox

    /// For tests of code that takes a credential. The caller wipes its own copy.
    public init(copying bytes: some Collection<UInt8>) { box = CredentialBox(SecretBytes(copying: bytes)) }

    init(_ box: CredentialBox) { self.box = box }

    /// In bytes; 0 once the call has ended.
    public var count: Int { box.withBytes { $0.count } }

    /// Lends the bytes for the duration of `body`; none once the call has ended. Copies made there are the caller's to
    /// wipe.
    public borrowing func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try box.withBytes(body)
    }

    public var description: String { "‹secret›" }
}

/// Where a call keeps the bytes of one credential until it ends.
final class CredentialBox: Sendable, CustomReflectable {
    private let lock = Lock()
    nonisolated(unsafe) private var secret: SecretBytes?

    init(_ secret: SecretBytes) { self.secret = secret }

    var customMirror: Mirror { Mirror(self, children: []) }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        guard let secret else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return try secret.withBytes(body)
    }

    /// Drops the only reference; `SecretBytes` overwrites its memory. Waits for whoever reads just now.
    func wipe() { lock.hold { secret = nil } }
}

extension String {
    /// The text with a secret's bytes replaced wherever they stand, as they are or escaped as in a quoted string. Less
    /// than four bytes are no secret, and would be found in any text. No copy of the secret is left in memory.
    func replacing(_ secret: SecretBytes, by name: String) -> String {
        guard secret.count >= 4 else { return self }
        return secret.withBytes { bytes in
            var escaped: [UInt8] = []
            escaped.reserveCapacity(2 * bytes.count)
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): escaped += [UInt8(ascii: "\\"), byte]
                case UInt8(ascii: "\n"): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
                case UInt8(ascii: "\r"): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
                case UInt8(ascii: "\t"): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
                default: escaped.append(byte)
                }
            }
            defer { escaped.wipe() }
            let clean = replacing(bytes, by: name)
            return escaped.count == bytes.count ? clean : escaped.withUnsafeBytes { clean.replacing($0, by: name) }
        }
    }

    private func replacing(_ sought: UnsafeRawBufferPointer, by name: String) -> String {
        let text = Array(utf8)
        var clean: [UInt8] = []
        var place = 0
        while place < text.count {
            if text[place...].starts(with: sought) {
                clean += name.utf8
                place += sought.count
            } else {
                clean.append(text[place])
                place += 1
            }
        }
        return clean.count == text.count && clean == text ? self : String(decoding: clean, as: UTF8.self)
    }
}
