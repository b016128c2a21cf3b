import JSONBytes
import Testing

@testable import nexus

@Suite struct HostLinkTests {
    @Test func messagesAreFoundHoweverTheStreamIsCut() {
        let text = Array(": still here\n\nevent: message\ndata: {\"a\":1}\n\nevent: message\ndata: {\"id\":2}\n\n".utf8)
        for size in 1...text.count {
            var events = EventMessages()
            var found: [String] = []
            for start in stride(from: 0, to: text.count, by: size) {
                found += events.push(Array(text[start..<min(start + size, text.count)])).map {
                    String(decoding: $0, as: UTF8.self)
                }
            }
            #expect(found == ["{\"a\":1}", "{\"id\":2}"])
        }
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#, true),
        (#"{"jsonrpc":"2.0","id":1,"result":{}}"#, false), (#"{"jsonrpc":"2.0","id":1,"method":"x"}"#, false),
        ("{", false),
    ])
    func onlyWhatHasAMethodAndNoIDIsANotification(_ text: String, _ isOne: Bool) {
        #expect(EventMessages.isNotification(Array(text.utf8)) == isOne)
    }
}
