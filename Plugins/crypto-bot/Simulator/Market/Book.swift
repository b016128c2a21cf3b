/// The house's standing offers for one pair, best first. They never run out: each order meets the same book, so that
/// the same requests always have the same answers.
struct Book: Sendable {
    struct Level: Sendable, Equatable {
        let price: Amount
        let quantity: Amount
    }

    let last: Amount
    let bids: [Level]
    let asks: [Level]

    static let levels = 500
    /// The whole book spans about a fortieth of the price to each side, or one tick a level where ticks are coarse.
    private static let levelsPerPrice: Int128 = 20_000

    init(_ instrument: Instrument, seed: UInt64) {
        var random = SplitMix(seed: seed, name: instrument.symbol)
        let shift = Int128(random.next() % 201) - 100  // hundredths of a percent
        let moved = Amount(units: instrument.reference.units + instrument.reference.units * shift / 10_000)
        let last = moved.roundedDown(to: instrument.tick)
        let gap = max(1, last.units / instrument.tick.units / Self.levelsPerPrice) * instrument.tick.units

        var bids: [Level] = []
        var asks: [Level] = []
        for level in 0..<Int128(Self.levels) {
            let depth = gap * level
            let lots = (Int128(random.next() % 1_000) + 1_000, Int128(random.next() % 1_000) + 1_000)
            if last.units - depth > 0 {
                bids.append(Self.level(last.units - depth, lots.0, instrument))
            }
            asks.append(Self.level(last.units + instrument.tick.units + depth, lots.1, instrument))
        }
        self.last = last
        self.bids = bids
        self.asks = asks
    }

    private static func level(_ price: Int128, _ thousandths: Int128, _ instrument: Instrument) -> Level {
        let quantity = Amount(units: instrument.lot.units * thousandths / 1_000).roundedDown(to: instrument.step)
        return Level(price: Amount(units: price), quantity: max(quantity, instrument.step))
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), started from a seed and a name: every pair has a stream of its own.
private struct SplitMix {
    private var state: UInt64

    init(seed: UInt64, name: String) {
        state = name.utf8.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
