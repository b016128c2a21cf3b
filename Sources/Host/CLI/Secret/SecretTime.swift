internal import ArgumentParser
internal import Foundation
internal import JSONBytes

/// When a credential ends.
struct SecretExpiry: ParsableArguments {
    @Option(
        help: ArgumentHelp("When it ends: after 12h or 30d, or at a time as 2027-01-31T00:00:00Z.", valueName: "time"))
    var expires: String?

    /// - Throws: `CommandFailure` for what is neither.
    func query(now: Date = Date()) throws -> [(String, String)] {
        guard let expires else { return [] }
        return [("expires", String(try SecretTime.unixSeconds(expires, now: now)))]
    }
}

/// Times as the admin API has them, Unix seconds, and as people read them (RFC 3339).
enum SecretTime {
    static func unixSeconds(_ text: String, now: Date) throws -> Int {
        if let date = try? Date(text, strategy: .iso8601) { return Int(date.timeIntervalSince1970) }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()),
            (1...10_000_000).contains(number)
        else {
            throw CommandFailure(
                "--expires \(text): write a number and s, m, h or d, such as 30d, or a time such as "
                    + "2027-01-31T00:00:00Z", exitCode: 64)
        }
        return Int(now.timeIntervalSince1970) + number * unit
    }

    /// `-` where there is none.
    static func shown(_ value: JSONValue?) -> String {
        guard let seconds = value?.intValue else { return "-" }
        return Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}
