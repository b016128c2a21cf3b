import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

@Suite struct HTTPResponseTests {
    @Test func statusHeadersAndBodyAreRead() throws {
        let json: JSONValue = ["status": 429, "headers": ["retry-after": "7"]]
        let response = try HTTPResponse(Message.Payload(json, bytes: [1, 2]))
        #expect(response == HTTPResponse(status: 429, headers: ["retry-after": "7"], body: [1, 2]))
    }

    @Test(arguments: ["{}", "{\"status\":\"200\"}", "{\"status\":99}", "[]"])
    func answerWithoutAStatusIsTheHostsFault(json: String) {
        let error = #expect(throws: ToolError.self) { try HTTPResponse(Message.Payload(json: Array(json.utf8))) }
        #expect(error?.code == .internalError)
    }
}
