import HostAPI
import Testing

@Suite struct APIPathTests {
    @Test func everyByteComesBackFromItsEscape() {
        let text = String(decoding: (0..<128).map { UInt8($0) }, as: UTF8.self) + "é𝄞\u{301}"
        #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
        #expect(PercentEncoding.encode("a/b%\n é") == "a%2Fb%25%0A%20%C3%A9")
    }

    @Test(arguments: ["%", "%4", "%zz", "a%", "%g0", "%ff", "%C3", "%C3%28", "%ED%A0%80", "% 1", "%+1", "%０0"])
    func brokenEscapesAreRefused(text: String) { #expect(PercentEncoding.decode(text) == nil) }

    @Test func namesStayInTheirSegment() {
        #expect(APIPath.plugin("a/../b") == "/v1/plugins/a%2F..%2Fb")
        #expect(APIPath.plugin("a", "start") == "/v1/plugins/a/start")
        #expect(APIPath.endpoint("x/y", of: "a?b") == "/v1/plugins/a%3Fb/endpoints/x%2Fy")
        #expect(APIPath.call("t#x") == "/v1/tools/t%23x/call")
        #expect(APIPath.token("1 2") == "/v1/tokens/1%202")
    }
}
