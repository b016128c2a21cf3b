import PluginABI
import Testing

@Suite struct NegotiationTests {
    @Test func theVersionIsInBothRangesOrThereIsNone() {
        for low in UInt32(1)...4 {
            for high in low...4 {
                for from in UInt32(0)...5 {
                    for to in UInt32(0)...5 {
                        let common = Set(low...high).intersection(from >= 1 && from <= to ? Set(from...to) : [])
                        let version = try? VersionRange(low, high).highestCommon(with: VersionRange(from, to))
                        #expect(version == common.max())
                    }
                }
            }
        }
    }

    @Test func thisImplementationSpeaksOne() {
        #expect(VersionRange.supported == VersionRange(1, 1))
        #expect("\(VersionRange(1, 3))" == "1–3")
    }
}
