import JSONBytes
import Testing

@testable import Sandbox

@Suite struct KernelSupportTests {
    /// A machine that cannot run the strict jail must fail here, not pass quietly.
    @Test func thisKernelMeetsTheStrictJail() {
        let support = KernelSupport.probe()
        print(support.text)
        #expect(support.meetsStrict, "\(support.text)")
    }

    @Test func eachLayerHasEvidenceAndARemedyWhereItIsMissing() {
        for layer in KernelSupport.probe().layers {
            #expect(!layer.evidence.isEmpty)
            #expect(layer.state == .available || !layer.remedy.isEmpty)
        }
    }

    @Test func aMissingRequiredLayerIsNotStrict() {
        let missing = KernelLayer(
            name: "landlock", required: true, state: .unavailable, evidence: "ENOSYS", remedy: "newer kernel")
        let support = KernelSupport(landlockABI: 0, layers: [missing])
        #expect(!support.meetsStrict)
        #expect(support.text == "landlock: unavailable (required), ENOSYS → newer kernel")
        #expect(support.json.arrayValue?.first?["state"]?.stringValue == "unavailable")
    }
}
