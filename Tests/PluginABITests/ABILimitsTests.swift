import JSONBytes
import PluginABI
import Testing

@Suite struct ABILimitsTests {
    @Test func limitsFitIntoEachOther() {
        #expect(ABILimits.handshakeBodyBytes < ABILimits.bodyBytes)
        #expect(ABILimits.jsonBytes < ABILimits.bodyBytes)
        #expect(ABILimits.jsonBytes <= JSONLimits.standard.bytes)
        #expect(ABILimits.nameBytes < ABILimits.textBytes)
        // The longest hello fits the frame that it must fit.
        #expect(4 * 6 + 2 * 4 + 2 * ABILimits.nameBytes <= ABILimits.handshakeBodyBytes)
        // The largest call: arguments, all credentials, names and field headers.
        let credentials = ABILimits.credentialsPerCall * (ABILimits.credentialBytes + ABILimits.nameBytes + 18)
        #expect(ABILimits.jsonBytes + credentials + 2 * ABILimits.nameBytes + 64 <= ABILimits.bodyBytes)
        #expect(ABILimits.credentialsPerCall < ABILimits.fieldsPerFrame)
        #expect(ABILimits.bodyBytes <= Int(UInt32.max))
    }
}
