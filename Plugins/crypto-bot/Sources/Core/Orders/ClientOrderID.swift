internal import Crypto

/// A client order id that follows from the request id.
enum ClientOrderID {
    /// 35 characters of those that the exchange allows (at most 36 of `.A-Z:/a-z0-9_-`).
    static func make(requestID: String) -> String {
        var hash = SHA256()
        // Named, so that the same request id in another use never gives the same text.
        hash.update(data: Array("crypto-bot/client-order-id/1\n".utf8))
        hash.update(data: Array(requestID.utf8))
        return "nx-" + Hex.encoded(hash.finalize().prefix(16))
    }
}
