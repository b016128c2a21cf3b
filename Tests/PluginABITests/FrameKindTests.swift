import PluginABI
import Testing

@Suite struct FrameKindTests {
    @Test func threeKindsEndAStream() {
        #expect(FrameKind.allCases.filter(\.isTerminal) == [.result, .error, .cancelled])
    }

    @Test func streamsBelongToTheSideThatTheirNumberNames() {
        #expect(Side(owning: 0) == nil)
        #expect(Side(owning: 1) == .host)
        #expect(Side(owning: 2) == .plugin)
        #expect(Side(owning: .max) == .host)
    }
}
