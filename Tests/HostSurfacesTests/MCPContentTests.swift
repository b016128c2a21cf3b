import Foundation
import HostCore
import JSONBytes
import Testing

@testable import HostSurfaces

@Suite struct MCPContentTests {
    private func last(_ mediaType: String, _ bytes: [UInt8]) -> JSONValue? {
        let result = ToolResult(
            json: Array("{}".utf8), content: ToolContent(mediaType: mediaType, bytes: bytes),
            call: CallIdentity(requestID: "r1", traceparent: "00-1-2-01"))
        return MCPContent.blocks(result, json: [:]).last
    }

    @Test func resultWithoutBytesIsOneText() {
        let result = ToolResult(json: Array("[1]".utf8), call: CallIdentity(requestID: "r1", traceparent: "00-1-2-01"))
        #expect(MCPContent.blocks(result, json: [1]) == [["type": "text", "text": "[1]"]])
    }

    @Test func textIsATextBlockWhereItIsText() {
        #expect(last("text/csv", Array("a,b".utf8)) == ["type": "text", "text": "a,b"])
        #expect(last("application/json", Array("{}".utf8)) == ["type": "text", "text": "{}"])
        // No text, whatever it is called.
        #expect(last("text/plain", [0xFF])?["type"] == "resource")
    }

    @Test func picturesAndSoundsAreBlocksOfTheirOwn() {
        #expect(last("image/png", [1, 2, 3]) == ["type": "image", "data": "AQID", "mimeType": "image/png"])
        #expect(last("audio/wav", [1, 2, 3]) == ["type": "audio", "data": "AQID", "mimeType": "audio/wav"])
    }

    @Test func everythingElseIsAnEmbeddedResource() {
        #expect(
            last("application/zip", [1, 2, 3]) == [
                "type": "resource",
                "resource": ["uri": "nexus:answer/r1", "mimeType": "application/zip", "blob": "AQID"],
            ])
    }
}
