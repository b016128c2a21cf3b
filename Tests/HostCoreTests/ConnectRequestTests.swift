import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct ConnectRequestTests {
    private func read(_ json: JSONValue, bytes: [UInt8] = []) throws(ABIError) -> ConnectRequest {
        try ConnectRequest(Message.Payload(json, bytes: bytes))
    }

    @Test func hostAndPortAreRead() throws {
        let request = try read(["host": "db.example.com", "port": 5432])
        #expect(request.host == "db.example.com" && request.port == 5432)
    }

    @Test(
        arguments: [
            ([], "the arguments are not"), (["host": "a"], "port is needed"), (["port": 1], "host is needed"),
            (["host": 1, "port": 1], "host is needed"), (["host": "a", "port": 0], "port is needed"),
            (["host": "a", "port": 65_536], "port is needed"), (["host": "a", "port": -1], "port is needed"),
            (["host": "a", "port": "22"], "port is needed"), (["host": "a", "port": 1, "tls": true], "tls: unknown"),
        ] as [(JSONValue, String)])
    func anythingElseIsRefusedByMember(json: JSONValue, words: String) {
        let error = #expect(throws: ABIError.self) { try read(json) }
        #expect(error?.code == .invalidArguments && error?.message.hasPrefix("net.connect: \(words)") == true)
    }

    @Test func bytesHaveNoPlaceInIt() {
        #expect(throws: ABIError.self) { try read(["host": "a", "port": 1], bytes: [1]) }
    }
}
