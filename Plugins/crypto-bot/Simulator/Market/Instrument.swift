/// A trading pair and the rules that its orders must meet.
struct Instrument: Sendable {
    let symbol: String
    let base: String
    let quote: String
    var status = "TRADING"
    /// Around this price the book is built.
    let reference: Amount
    let tick: Amount
    let step: Amount
    let maxQuantity: Amount
    let minNotional: Amount
    /// The smallest quantity that the house puts on one level of the book.
    let lot: Amount

    static let minPrice = Amount(1, e: -8)
    static let maxPrice = Amount(1_000_000)
    static let maxNotional = Amount(9_000_000)
    static let maxMarketQuantity = Amount(1_000)
    static let maxOpenOrders = 200
    /// PERCENT_PRICE_BY_SIDE, the same on both sides.
    static let priceMultiplierUp = Amount(5)
    static let priceMultiplierDown = Amount(2, e: -1)

    /// One pair of each kind: coarse and fine ticks, a quote other than USDT, a halted market, a name beyond ASCII.
    static let catalog: [Instrument] = [
        Instrument(
            symbol: "BTCUSDT", base: "BTC", quote: "USDT", reference: Amount(100_000), tick: Amount(1, e: -2),
            step: Amount(1, e: -5), maxQuantity: Amount(9_000), minNotional: Amount(5), lot: Amount(5, e: -2)),
        Instrument(
            symbol: "ETHUSDT", base: "ETH", quote: "USDT", reference: Amount(4_000), tick: Amount(1, e: -2),
            step: Amount(1, e: -4), maxQuantity: Amount(9_000), minNotional: Amount(5), lot: Amount(1)),
        Instrument(
            symbol: "BNBUSDT", base: "BNB", quote: "USDT", reference: Amount(800), tick: Amount(1, e: -2),
            step: Amount(1, e: -3), maxQuantity: Amount(900_000), minNotional: Amount(5), lot: Amount(5)),
        Instrument(
            symbol: "LTCBTC", base: "LTC", quote: "BTC", reference: Amount(1_250, e: -6), tick: Amount(1, e: -6),
            step: Amount(1, e: -3), maxQuantity: Amount(100_000), minNotional: Amount(1, e: -4), lot: Amount(20)),
        Instrument(
            symbol: "ETHBTC", base: "ETH", quote: "BTC", reference: Amount(4, e: -2), tick: Amount(1, e: -5),
            step: Amount(1, e: -4), maxQuantity: Amount(100_000), minNotional: Amount(1, e: -4), lot: Amount(1)),
        Instrument(
            symbol: "LUNAUSDT", base: "LUNA", quote: "USDT", status: "BREAK", reference: Amount(1, e: -1),
            tick: Amount(1, e: -4), step: Amount(1, e: -2), maxQuantity: Amount(900_000), minNotional: Amount(5),
            lot: Amount(1_000)),
        Instrument(
            symbol: "这是测试币456", base: "这是测试币", quote: "456", reference: Amount(10), tick: Amount(1, e: -2),
            step: Amount(1, e: -2), maxQuantity: Amount(100_000), minNotional: Amount(5), lot: Amount(10)),
    ]
}
