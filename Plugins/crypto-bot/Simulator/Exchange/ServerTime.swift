/// A moment on the exchange's clock. The core never asks for the time: it is told.
struct ServerTime: Sendable {
    /// Since 1970-01-01 UTC.
    let microseconds: Int64

    var milliseconds: Int64 { microseconds / 1_000 }
    var seconds: Int64 { microseconds / 1_000_000 }

    init(microseconds: Int64) { self.microseconds = microseconds }

    /// A `timestamp` parameter, in milliseconds or, from 10^14 on, in microseconds. One too large for 64 bits reads as
    /// the far future.
    init(parameter text: String) {
        let value = Int64(text) ?? .max
        if value >= 100_000_000_000_000 {
            microseconds = value
        } else {
            microseconds = value * 1_000  // below 10^17
        }
    }
}

/// The unit of the times in a response (field X-MBX-TIME-UNIT).
enum TimeUnit: Sendable {
    case millisecond, microsecond

    init(header: String?) throws(APIError) {
        switch header?.uppercased() {
        case nil, "MILLISECOND": self = .millisecond
        case "MICROSECOND": self = .microsecond
        default: throw .invalidTimeUnit
        }
    }

    func value(_ time: ServerTime) -> Int { Int(self == .microsecond ? time.microseconds : time.milliseconds) }
}
