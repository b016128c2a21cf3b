/// W3C Trace Context (level 1): which trace a call belongs to, so that its traces, its log entry and the plugin's own
/// can be laid side by side.
struct TraceContext: Sendable, Equatable, CustomStringConvertible {
    /// 32 lower-case hex digits, not all 0.
    let traceID: String
    /// 16 such digits: the call itself.
    let spanID: String
    let flags: String
    /// What other systems on the way said; passed on as it came.
    let state: String?

    /// The `traceparent` that goes to the plugin.
    var description: String { "00-\(traceID)-\(spanID)-\(flags)" }

    /// The call's own span in the caller's trace; in a new trace if there is none, or none that can be read: what is
    /// malformed goes no further.
    init(continuing parent: String?, state: String? = nil) {
        spanID = Hex.text(RandomBytes.make(8))
        guard let parent, let (traceID, flags) = Self.read(parent) else {
            traceID = Hex.text(RandomBytes.make(16))
            flags = "01"
            self.state = nil
            return
        }
        self.traceID = traceID
        self.flags = flags
        self.state = state.flatMap { Self.isState($0) ? $0 : nil }
    }

    /// A later version may append to what version 00 has; its beginning is read the same way.
    private static func read(_ text: String) -> (traceID: String, flags: String)? {
        let parts = text.split(separator: "-", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, zip(parts, [2, 32, 16, 2]).allSatisfy({ isHex($0, $1) }), parts[0] != "ff",
            parts[0] != "00" || parts.count == 4, parts[1].contains(where: { $0 != "0" }),
            parts[2].contains(where: { $0 != "0" })
        else { return nil }
        // Of the flags only `sampled` has a meaning in version 00; the others are sent as 0.
        return (parts[1], Hex.bytes(parts[3]).map { $0[0] & 1 == 1 } == true ? "01" : "00")
    }

    private static func isHex(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Up to 32 members `key=value`, separated by commas; a broken list is dropped as a whole (section 3.3.1).
    private static func isState(_ text: String) -> Bool {
        guard (1...512).contains(text.utf8.count) else { return false }
        let members = text.utf8.split(separator: 0x2C, omittingEmptySubsequences: false).map(trimmed)
        let keys = members.filter { !$0.isEmpty }.map { $0.prefix { $0 != 0x3D } }
        return members.count <= 32 && !keys.isEmpty && members.allSatisfy { $0.isEmpty || isMember($0) }
            && Set(keys.map(Array.init)).count == keys.count
    }

    /// Without the blanks around it.
    private static func trimmed(_ member: Substring.UTF8View) -> Substring.UTF8View {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var member = member.drop(while: isBlank)
        while let last = member.last, isBlank(last) { member.removeLast() }
        return member
    }

    private static func isMember(_ member: Substring.UTF8View) -> Bool {
        let key = member.prefix { $0 != 0x3D }
        let value = member.dropFirst(key.count + 1)
        guard let first = key.first, isLetterOrDigit(first), key.count <= 256, (1...256).contains(value.count) else {
            return false
        }
        // Of a key also _ - * / and @, which separates a tenant from its system.
        let isKey = key.allSatisfy { isLetterOrDigit($0) || [0x5F, 0x2D, 0x2A, 0x2F, 0x40].contains($0) }
        return isKey && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x3D }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
