import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

@Suite struct HTTPRequestTests {
    @Test func requestBecomesTheJSONOfTheHostService() throws {
        let request = HTTPRequest(
            endpoint: "exchange", method: "POST", path: "/api/v3/order", query: "a=%20b",
            headers: [("X-Key", .secret(SecretBytes(copying: "a\"b\\c".utf8))), ("Accept", .text("*/*"))])
        let json = try JSONValue(parsing: request.encoded())
        #expect(
            json == [
                "endpoint": "exchange", "method": "POST", "path": "/api/v3/order", "query": "a=%20b",
                "headers": ["X-Key": "a\"b\\c", "Accept": "*/*"],
            ])
    }

    @Test func optionalPartsAreLeftOut() throws {
        let json = try JSONValue(parsing: HTTPRequest(endpoint: "exchange", path: "/").encoded())
        #expect(json == ["endpoint": "exchange", "method": "GET", "path": "/"])
    }

    @Test func sealedCredentialsAreNamed() throws {
        let request = HTTPRequest(
            endpoint: "exchange", path: "/", headers: [("A", .text("b"))], sealed: ["api_key", "api_secret"])
        #expect(
            try JSONValue(parsing: request.encoded()) == [
                "endpoint": "exchange", "method": "GET", "path": "/", "sealed": ["api_key", "api_secret"],
                "headers": ["A": "b"],
            ])
    }

    @Test func encodingNeverOutgrowsTheMemoryReservedForIt() throws {
        let secret = SecretBytes(copying: Array(repeating: UInt8(ascii: "\""), count: 10_000))
        let request = HTTPRequest(
            endpoint: "exchange", path: "/", headers: [("K", .secret(secret)), ("L", .secret(secret))])
        let encoded = try request.encoded()
        #expect(encoded.count > 40_000)
        #expect(encoded.capacity < 80_000, "the array doubled, and left a copy of the secret behind")
    }

    @Test(arguments: ["line\nbreak", "nul\0", "café"])
    func secretThatCouldSmuggleAHeaderIsRefusedWithoutShowingIt(text: String) {
        let request = HTTPRequest(
            endpoint: "exchange", path: "/", headers: [("X-Key", .secret(SecretBytes(copying: text.utf8)))])
        let error = #expect(throws: ToolError.self) { try request.encoded() }
        #expect(error?.code == .invalidArguments)
        #expect(error?.message.contains(text) == false)
    }
}
