import Testing

@testable import CryptoBotCore

@Suite struct ClientOrderIDTests {
    @Test func sameRequestHasTheSameID() {
        #expect(ClientOrderID.make(requestID: "r-1") == ClientOrderID.make(requestID: "r-1"))
        #expect(ClientOrderID.make(requestID: "r-1") != ClientOrderID.make(requestID: "r-2"))
    }

    @Test func idFitsTheExchangesFormWhateverTheRequestIDIs() {
        for request in ["", "r", String(repeating: "漢", count: 500), "a&b=c"] {
            let id = ClientOrderID.make(requestID: request)
            #expect(id.utf8.count == 35)
            #expect(id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        }
    }
}
