import Testing

@testable import HostCore

@Suite struct PercentEncodingTests {
    @Test func everyByteButTheUnreservedOnesIsEncoded() {
        #expect(PercentEncoding.encoded("aZ09-._~") == "aZ09-._~")
        #expect(PercentEncoding.encoded("a b/+=&é\n") == "a%20b%2F%2B%3D%26%C3%A9%0A")
        #expect(PercentEncoding.encoded("") == "")
    }

    @Test func whatWasEncodedIsDecodedAgain() {
        for text in ["", "a b/+=&é\n%", "100%", "𝄞"] {
            #expect(PercentEncoding.decoded(PercentEncoding.encoded(text)) == text)
        }
        #expect(PercentEncoding.decoded("%7esig%") == "~sig%")
        #expect(PercentEncoding.decoded("a+b%2") == "a b%2")
        #expect(PercentEncoding.decoded("%+1") == "% 1", "a sign is no digit")
    }

    @Test(arguments: ["", "a=1", "a=1&b=%20x", "a", "a=", "=b", "a=%C3%A9"])
    func aQueryInTheOneSpellingIsCanonical(query: String) {
        #expect(PercentEncoding.isCanonical(query: query))
    }

    @Test(arguments: ["a=b c", "a=b+c", "a=%7E", "a=%2f", "a=b=c", "a=/", "a:b=1", "a=%", "a=%zz"])
    func aQueryInAnotherSpellingIsNot(query: String) {
        #expect(!PercentEncoding.isCanonical(query: query))
    }

    @Test(arguments: ["", "a=1&b=%2F%2f", "a=b=c;d", "a-._~!$&'()*+,;=:@/?", "a=%00"])
    func aQueryIsWhatTheRFCSays(query: String) {
        #expect(PercentEncoding.isQuery(query))
    }

    @Test(arguments: [
        "a[]=1", "a=\"", "a=%", "a=%4", "a=%zz", "a=%+1", "a=^", "a=`", "a={}", "a=|", "a=\\", "a=é", "a= ",
    ])
    func whatALibraryWouldEncodeIsNoQuery(query: String) {
        #expect(!PercentEncoding.isQuery(query))
    }
}
