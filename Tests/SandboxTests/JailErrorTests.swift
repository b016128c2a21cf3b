import Testing

@testable import Sandbox

@Suite struct JailErrorTests {
    @Test func errnoIsShownByNameAndInWords() {
        #expect(ErrnoName.describe(1) == "EPERM (Operation not permitted)")
        #expect(ErrnoName.name(9999) == "unknown")
    }

    @Test func anErrorReadsAsItsMessage() {
        let error = JailError(.layer, "layer proc could not be applied", layer: "proc", errno: 1)
        #expect("\(error)" == "layer proc could not be applied")
        #expect(error.code == JailError.Code(rawValue: "layer"))
    }
}
