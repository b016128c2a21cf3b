import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct FetchRequestTests {
    private func error(_ json: String) -> String? {
        refusal { () throws(ABIError) in try FetchRequest(Message.Payload(json: Array(json.utf8))) }.map {
            $0.code == .invalidArguments ? $0.message : "wrong code \($0.code)"
        }
    }
    private let base = #""endpoint":"e","method":"GET","path":"/a""#

    @Test func everythingIsTakenAsItStands() throws {
        let json = #"{\#(base),"query":"b=%20","headers":{"X-A":"1","x-a":"2"}}"#
        let request = try FetchRequest(Message.Payload(json: Array(json.utf8), bytes: [0, 1]))
        #expect(request.query == "b=%20")
        #expect(request.headers == [.init(name: "X-A", value: "1"), .init(name: "x-a", value: "2")])
        #expect(request.body == [0, 1])
    }

    @Test func whatIsNoRequestIsRefusedWithItsReason() {
        #expect(error("") == "http.fetch: the arguments are not a JSON object")
        #expect(error("[]") == "http.fetch: the arguments are not a JSON object")
        #expect(error("{}") == "http.fetch: endpoint, method and path are needed, each a string")
        #expect(error(#"{"endpoint":1,"method":"GET","path":"/"}"#) != nil)
        #expect(
            error(#"{\#(base),"host":"evil"}"#)
                == "http.fetch: host: unknown; known: endpoint, headers, method, path, query, sealed")
        #expect(error(#"{\#(base),"headers":{"X-A":["1","2"]}}"#) == "http.fetch: headers.X-A must be a string")
        let names = "http.fetch: sealed must be an array of at most 16 different names"
        for value in ["\"a\"", "null", "[1]", "[\"a\",\"a\"]", "{}"] {
            #expect(error(#"{\#(base),"sealed":\#(value)}"#) == names)
        }
        #expect(error(#"{\#(base),"path":"/b"}"#) == "http.fetch: the arguments are not a JSON object")
    }

    @Test(arguments: [
        ("query", "5"), ("query", "null"), ("query", "{}"), ("headers", "[]"), ("headers", "\"X: y\""),
        ("headers", "null"),
    ])
    func membersOfTheWrongTypeAreRefusedAndNotIgnored(name: String, value: String) {
        #expect(error(#"{\#(base),"\#(name)":\#(value)}"#)?.hasPrefix("http.fetch: \(name) must be ") == true)
    }

    @Test func refusalsStayShortWhateverThePluginSends() {
        let bloat = "e" + String(repeating: "\u{301}", count: 200_000)
        #expect((error(#"{\#(base),"\#(bloat)":1}"#)?.utf8.count ?? .max) < 2_000)
        #expect((error(#"{\#(base),"headers":{"\#(bloat)":1}}"#)?.utf8.count ?? .max) < 2_000)
    }
}
