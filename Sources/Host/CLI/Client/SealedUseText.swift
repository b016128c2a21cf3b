internal import JSONBytes

/// What the host does with a sealed credential in requests, in one line: an entry of `sealed` (manifest-v1.md section
/// 5.2) as the API shows it.
enum SealedUseText {
    static func line(_ use: JSONValue) -> String {
        let key = use.shown("credential")
        switch use["sign"]?.stringValue {
        case nil:
            let after = use["after"] == nil ? "" : ", after \"\(use.shown("after"))\""
            return "where asked, the host writes \(key) into \(place(use))\(after)"
        case "binance": return "where asked, the host signs query and body with \(key), as Binance does"
        case "aws-sigv4":
            let session = use["session"] == nil ? "" : " and \(use.shown("session"))"
            return "where asked, the host signs with \(key) for \(use.shown("id"))\(session), "
                + "AWS SigV4 for \(use.shown("service")) in \(use.shown("region"))"
        default:
            let parts = use.list("parts").compactMap(\.stringValue).map(\.printable).joined(separator: " + ")
            let time = use["timestamp"].map { ", the time (\($0.shown("format"))) in \(place($0))" } ?? ""
            return "where asked, the host signs \(parts) with \(key) (\(use.shown("algorithm")), "
                + "\(use.shown("encoding"))) into \(place(use))\(time)"
        }
    }

    private static func place(_ use: JSONValue) -> String {
        use["header"] == nil ? "the parameter \(use.shown("query"))" : "the header \(use.shown("header"))"
    }
}
