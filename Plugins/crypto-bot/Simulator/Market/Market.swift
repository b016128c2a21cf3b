/// All pairs and their books; fixed for the life of the exchange.
struct Market: Sendable {
    let instruments: [Instrument]
    private let books: [String: Book]

    init(instruments: [Instrument] = Instrument.catalog, seed: UInt64) {
        self.instruments = instruments
        var books: [String: Book] = [:]
        for instrument in instruments { books[instrument.symbol] = Book(instrument, seed: seed) }
        self.books = books
    }

    /// Every asset that some pair trades, in alphabetic order.
    var assets: [String] { Set(instruments.flatMap { [$0.base, $0.quote] }).sorted() }

    func listing(_ symbol: String) throws(APIError) -> (instrument: Instrument, book: Book) {
        guard let instrument = instruments.first(where: { $0.symbol == symbol }), let book = books[symbol] else {
            throw .invalidSymbol
        }
        return (instrument, book)
    }
}
