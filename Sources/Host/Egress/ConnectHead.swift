// What crosses here: the first bytes that an unmodified program, which nobody trusts, sends to its proxy. A pure
// incremental parser of one request form, CONNECT host:port (RFC 9110 section 9.3.6, RFC 9112). Everything that two
// parsers could read in two ways is refused: then there is nothing to smuggle in.

/// The head of a CONNECT request.
struct ConnectHead: Sendable, Equatable {
    /// A whole head, with what names it. 8 KiB is what common servers take.
    static let limitBytes = 8 << 10
    static let limitFields = 64

    enum Progress: Sendable, Equatable {
        case needsMore
        case connect(EgressTarget)
        /// The status to answer with, and why.
        case refused(status: Int, String)
    }

    private var bytes: [UInt8] = []
    private var verdict: Progress?
    /// Bytes up to here hold nothing stray: a head that drips in is looked at once.
    private var scanned = 0

    /// Takes what has arrived. Once the answer is not `needsMore` it stays the same.
    mutating func receive(_ new: some Collection<UInt8>) -> Progress {
        if let verdict { return verdict }
        bytes += new.prefix(Self.limitBytes + 1 - bytes.count)
        let progress = judge()
        if progress != .needsMore { verdict = progress }
        return progress
    }

    private mutating func judge() -> Progress {
        let stray = Self.strayByte(bytes, from: scanned)
        scanned = max(bytes.count - 1, 0)
        if let stray { return .refused(status: 400, stray) }
        guard let end = Self.lineEnd(bytes, from: 0) else { return tooLongOrMore }
        // Said at once: a client of another method may wait with the rest of its head.
        let line = bytes[..<end]
        guard line.starts(with: Array("CONNECT ".utf8)) else {
            let method = String(decoding: line.prefix { $0 != 0x20 }, as: UTF8.self)
            return .refused(
                status: 405, "this proxy answers CONNECT only, not \(EgressRefusal.printable(method)); use https")
        }
        var lines: [ArraySlice<UInt8>] = []
        var next = end + 2
        while let end = Self.lineEnd(bytes, from: next) {
            if end == next {
                guard end + 2 == bytes.count else {
                    return .refused(status: 400, "bytes follow the head before it was answered")
                }
                return Self.read(line, fields: lines)
            }
            lines.append(bytes[next..<end])
            next = end + 2
        }
        return tooLongOrMore
    }

    private var tooLongOrMore: Progress {
        guard bytes.count > Self.limitBytes else { return .needsMore }
        return .refused(status: 431, "the head is longer than \(Self.limitBytes) bytes")
    }

    /// Control bytes, and CR or LF on their own. A CR at the very end may still get its LF.
    private static func strayByte(_ bytes: [UInt8], from start: Int) -> String? {
        for index in start..<bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x0D where index + 1 == bytes.count || bytes[index + 1] == 0x0A: continue
            case 0x0A where index > 0 && bytes[index - 1] == 0x0D: continue
            case 0x0D: return "a bare CR in the head"
            case 0x0A: return "a bare LF in the head"
            case 0x09, 0x20...0x7E: continue
            default: return "a byte in the head that is not printable ASCII"
            }
        }
        return nil
    }

    private static func lineEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        return bytes[start...].firstIndex(of: 0x0D).flatMap { $0 + 1 < bytes.count ? $0 : nil }
    }

    private static func read(_ line: ArraySlice<UInt8>, fields: [ArraySlice<UInt8>]) -> Progress {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3, ["HTTP/1.1", "HTTP/1.0"].contains(String(decoding: words[2], as: UTF8.self)) else {
            return .refused(status: 400, "the first line is not CONNECT HOST:PORT HTTP/1.1")
        }
        let target: EgressTarget
        do throws(EgressRefusal) {
            target = try EgressTarget(String(decoding: words[1], as: UTF8.self))
        } catch {
            return .refused(status: 400, error.message)
        }
        guard fields.count <= limitFields else { return .refused(status: 431, "more than \(limitFields) fields") }
        var hosts = 0
        for field in fields {
            guard let (name, value) = nameAndValue(field) else {
                return .refused(status: 400, "a line of the head is not NAME: VALUE")
            }
            switch name {
            case "content-length", "transfer-encoding", "upgrade", "trailer", "te":
                return .refused(status: 400, "\(name) has no place in CONNECT")
            case "host":
                hosts += 1
                guard hosts == 1 else { return .refused(status: 400, "more than one Host") }
                guard names(value, target) else {
                    return .refused(status: 400, "Host does not say \(target), which CONNECT asks for")
                }
            default: break
            }
        }
        return .connect(target)
    }

    /// `example.com:443` or, as some clients write it, without the port.
    private static func names(_ host: String, _ target: EgressTarget) -> Bool {
        if let whole = try? EgressTarget(host) { return whole == target }
        return (try? HostName(host)) == target.host
    }

    /// A token, at once a colon, then anything; a line that begins with a blank continues another (obs-fold).
    private static func nameAndValue(_ field: ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")), colon > field.startIndex else { return nil }
        let name = field[..<colon]
        let marks = Array("!#$%&'*+-.^_`|~".utf8)
        let isToken = name.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || marks.contains($0)
        }
        guard isToken else { return nil }
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let value = field[(colon + 1)...].drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return (String(decoding: name, as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self))
    }
}
