// Every refusal of the exchange, as data: code, text and HTTP status as the Spot API documents them (errors.md).

struct APIError: Error, Sendable, Equatable {
    let code: Int
    let message: String
    let status: Int
    /// Seconds for the Retry-After field.
    let retryAfter: Int?

    init(_ code: Int, _ message: String, status: Int = 400, retryAfter: Int? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
    }
}

// MARK: limits

extension APIError {
    static func tooMuchWeight(limit: Int, retryAfter: Int) -> APIError {
        APIError(
            -1003,
            "Too much request weight used; current limit is \(limit) request weight per 1 MINUTE. "
                + "Please use WebSocket Streams for live updates to avoid polling the API.",
            status: 429, retryAfter: retryAfter)
    }

    static func banned(untilMilliseconds: Int, retryAfter: Int) -> APIError {
        APIError(
            -1003,
            "Way too much request weight used; IP banned until \(untilMilliseconds). "
                + "Please use WebSocket Streams for live updates to avoid bans.",
            status: 418, retryAfter: retryAfter)
    }

    static func tooManyOrders(limit: Int, per interval: String, retryAfter: Int) -> APIError {
        APIError(
            -1015, "Too many new orders; current limit is \(limit) orders per \(interval).",
            status: 429, retryAfter: retryAfter)
    }
}

// MARK: identity

extension APIError {
    static let requestTooOld = APIError(-1021, "Timestamp for this request is outside of the recvWindow.")
    static let requestAhead = APIError(
        -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    static let wrongSignature = APIError(-1022, "Signature for this request is not valid.")
    static let receiveWindowTooLarge = APIError(-1131, "recvWindow must be less than 60000")
    static let malformedKey = APIError(-2014, "API-key format invalid.", status: 401)
    static let unknownKey = APIError(-2015, "Invalid API-key, IP, or permissions for action.", status: 401)
}

// MARK: parameters

extension APIError {
    static let illegalCharacters = APIError(-1100, "Illegal characters found in a parameter.")
    static let duplicateParameter = APIError(-1101, "Duplicate values for a parameter detected.")
    static let invalidTimeInForce = APIError(-1115, "Invalid timeInForce.")
    static let invalidOrderType = APIError(-1116, "Invalid orderType.")
    static let invalidSide = APIError(-1117, "Invalid side.")
    static let invalidSymbol = APIError(-1121, "Invalid symbol.")
    static let invalidCombination = APIError(-1128, "Combination of optional parameters invalid.")
    static let invalidTimeUnit = APIError(
        -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")

    static func illegalCharacters(in name: String, legalRange: String) -> APIError {
        APIError(-1100, "Illegal characters found in parameter '\(name)'; legal range is '\(legalRange)'.")
    }
    static func missingParameter(_ name: String) -> APIError {
        APIError(-1102, "Mandatory parameter '\(name)' was not sent, was empty/null, or malformed.")
    }
    static func missingEither(_ first: String, _ second: String) -> APIError {
        APIError(-1102, "Param '\(first)' or '\(second)' must be sent, but both were empty/null!")
    }
    static func unreadParameters(read: Int, sent: Int) -> APIError {
        APIError(-1104, "Not all sent parameters were read; read '\(read)' parameter(s) but was sent '\(sent)'.")
    }
    static func emptyParameter(_ name: String) -> APIError { APIError(-1105, "Parameter '\(name)' was empty.") }
    static func parameterNotRequired(_ name: String) -> APIError {
        APIError(-1106, "Parameter '\(name)' sent when not required.")
    }
    static func tooMuchPrecision(_ name: String) -> APIError {
        APIError(-1111, "Parameter '\(name)' has too much precision.")
    }
    static func invalidData(_ name: String) -> APIError {
        APIError(-1130, "Data sent for parameter '\(name)' is not valid.")
    }
}

// MARK: orders

extension APIError {
    static let invalidQuantity = APIError(-1013, "Invalid quantity.")
    static let invalidPrice = APIError(-1013, "Invalid price.")
    static let duplicateOrder = APIError(-2010, "Duplicate order sent.")
    static let insufficientBalance = APIError(-2010, "Account has insufficient balance for requested action.")
    static let marketClosed = APIError(-2010, "Market is closed.")
    static let wouldTake = APIError(-2010, "Order would immediately match and take.")
    static let orderUnknown = APIError(-2013, "Order does not exist.")

    static func filterFailure(_ name: String) -> APIError { APIError(-1013, "Filter failure: \(name)") }
    static func unsupportedType(_ name: String) -> APIError {
        APIError(-2010, "\(name) orders are not supported for this symbol.")
    }
}
