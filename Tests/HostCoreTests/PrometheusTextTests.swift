import Testing

@testable import HostCore

@Suite struct PrometheusTextTests {
    @Test func valuesCannotBreakOutOfTheirLabel() {
        let labels = PrometheusText.labels([("a", "x\"} 1\nfake 2\\"), ("b-c", "é")])
        #expect(labels == #"a="x\"} 1\nfake 2\\",b_c="é""#)
        var text = PrometheusText()
        text.family("m", .counter, help: "one\ntwo \\ \"three\"")
        text.sample("m", labels, "1")
        #expect(text.text.split(separator: "\n").count == 3)
        #expect(text.text.hasPrefix("# HELP m one\\ntwo \\\\ \"three\"\n# TYPE m counter\n"))
    }

    @Test func namesAreMadeValid() {
        #expect(PrometheusText.name("http.server.requests") == "http_server_requests")
        #expect(PrometheusText.name("9lives") == "_9lives" && PrometheusText.name("") == "_")
        #expect(PrometheusText.name("a:b") == "a:b" && PrometheusText.name("a:b", colons: false) == "a_b")
    }

    @Test func numbersAreWrittenWithoutRounding() {
        let seconds = { PrometheusText.decimal($0, scale: 1_000_000_000) }
        #expect(seconds(5_000) == "0.000005" && seconds(0) == "0" && seconds(2_500_000_000) == "2.5")
        #expect(seconds(60_000_000_000) == "60" && seconds(1) == "0.000000001" && seconds(-1_500_000_000) == "-1.5")
        #expect(PrometheusText.decimal(12, scale: 1) == "12")
    }
}
