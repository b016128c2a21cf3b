internal import Glibc

/// A moment in UTC, in the spellings that people and signatures want.
struct UTCTime: Sendable {
    let unixMilliseconds: UInt64
    /// Four digits of the year, two of each other part.
    private let day: [String]
    private let time: [String]

    init(unixMilliseconds: UInt64) {
        self.unixMilliseconds = unixMilliseconds
        var seconds = time_t(clamping: unixMilliseconds / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        day = [Self.digits(parts.tm_year + 1_900, 4), Self.digits(parts.tm_mon + 1, 2), Self.digits(parts.tm_mday, 2)]
        time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { Self.digits($0, 2) }
    }

    /// RFC 3339 to the second, `2026-11-21T09:30:00Z`; years end with 9999.
    static func text(_ unixSeconds: Int) -> String {
        let time = UTCTime(unixMilliseconds: min(UInt64(clamping: unixSeconds), 253_402_300_799) * 1_000)
        return "\(time.day.joined(separator: "-"))T\(time.time.joined(separator: ":"))Z"
    }

    /// `20261122`
    var date: String { day.joined() }

    /// `20261122T010203Z` (ISO 8601, basic format)
    var basic: String { "\(date)T\(time.joined())Z" }

    /// `2026-11-22T01:02:03.456Z` (RFC 3339)
    var extended: String {
        "\(day.joined(separator: "-"))T\(time.joined(separator: ":"))."
            + Self.digits(Int32(unixMilliseconds % 1_000), 3) + "Z"
    }

    private static func digits(_ number: Int32, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
