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

    /// The call's own span in the caller's trace; in a new trace if there is none, or none that can be read.
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
        return (parts[1], parts[3])
    }

    private static func isHex(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func isState(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}
