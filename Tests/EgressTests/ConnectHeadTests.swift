import Testing

@testable import Egress

@Suite struct ConnectHeadTests {
    private func read(_ text: String) -> ConnectHead.Progress {
        var head = ConnectHead()
        return head.receive(Array(text.utf8))
    }

    private func status(_ text: String) -> Int? {
        guard case .refused(let status, _) = read(text) else { return nil }
        return status
    }

    private let good = "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\nUser-Agent: curl/8\r\n\r\n"

    @Test func aWholeHeadIsRead() throws {
        #expect(read(good) == .connect(try EgressTarget("api.example.com:443")))
        #expect(read("CONNECT a.example:22 HTTP/1.0\r\n\r\n") == .connect(try EgressTarget("a.example:22")))
        #expect(read("CONNECT A.Example.:443 HTTP/1.1\r\nhost:a.example\r\n\r\n") != .needsMore)
    }

    @Test func everySplitOfAHeadReadsTheSame() {
        let bytes = Array(good.utf8)
        for cut in 1..<bytes.count {
            var head = ConnectHead()
            #expect(head.receive(bytes[..<cut]) == .needsMore)
            #expect(head.receive(bytes[cut...]) == read(good))
        }
    }

    @Test(arguments: ["GET", "POST", "OPTIONS", "connect", "CONNECTX", "PRI", "\u{16}\u{03}\u{01}", ""])
    func methodsOtherThanConnectAreRefused(method: String) {
        let status = status("\(method) http://api.example.com/ HTTP/1.1\r\n")
        #expect(status == 405 || (status == 400 && method.hasPrefix("\u{16}")))
    }

    @Test(arguments: [
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n folded\r\n\r\n",  // obs-fold
        "CONNECT a.example:443 HTTP/1.1\r\n\tHost: a.example:443\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\nHost: a.example:443\r\n\r\n",  // bare LF
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\n\n",
        "CONNECT a.example:443 HTTP/1.1\r\nX: a\rb\r\n\r\n",  // bare CR
        "CONNECT a.example:443 HTTP/1.1\r\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nHost: a.example:443\r\n\r\n",  // two Hosts
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nhOST: evil.example\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",  // another Host
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost:\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",  // blank before the colon
        "CONNECT a.example:443 HTTP/1.1\r\n: x\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nno colon\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",  // a second request behind the first
        "CONNECT a.example:443 HTTP/1.1\r\nX: \0\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nX: é\r\n\r\n",
        "CONNECT  a.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443  HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1 \r\n\r\n",
        "CONNECT a.example:443\tHTTP/1.1\r\n\r\n",
        "CONNECT a.example:443\r\n\r\n",
        "CONNECT a.example:443 HTTP/2.0\r\n\r\n",
        "CONNECT a.example:443 http/1.1\r\n\r\n",
    ])
    func smuggledHeadsAreRefused(text: String) {
        #expect(status(text) == 400, "\(text.debugDescription)")
    }

    @Test(arguments: [
        "a.example", "a.example:", "a.example:0", "a.example:65536", "http://a.example:443", "user@a.example:443",
        "127.1:80", "0x7f000001:80", "2130706433:80", "[a.example]:443", "a.example:443@evil.example:443",
        "a.example\0:443", "a.example%00.evil:443", "*.example:443", "a.example:443/", "[::1%25lo]:80",
    ])
    func authoritiesThatAreNoHostAndPortAreRefused(authority: String) {
        #expect(status("CONNECT \(authority) HTTP/1.1\r\n\r\n") == 400)
    }

    @Test func headThatNeverEndsIsRefusedAtItsLimit() {
        var head = ConnectHead()
        let first = head.receive(Array("CONNECT a.example:443 HTTP/1.1\r\n".utf8))
        #expect(first == .needsMore)
        var answers: [ConnectHead.Progress] = []
        for _ in 0..<2_000 { answers.append(head.receive(Array("X: abcdef\r\n".utf8))) }
        #expect(answers.last == .refused(status: 431, "the head is longer than 8192 bytes"))
        #expect(status("CONNECT " + String(repeating: "a", count: 9_000)) == 431)
    }

    @Test func fieldsAreCounted() {
        let fields = String(repeating: "X: y\r\n", count: ConnectHead.limitFields + 1)
        #expect(status("CONNECT a.example:443 HTTP/1.1\r\n\(fields)\r\n") == 431)
    }

    @Test func anAnswerOnceGivenStays() {
        var head = ConnectHead()
        let refused = head.receive(Array("GET / HTTP/1.1\r\n".utf8))
        #expect(head.receive(Array(good.utf8)) == refused)
    }
}
