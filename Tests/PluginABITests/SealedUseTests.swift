import PluginABI
import Testing

@Suite struct SealedUseTests {
    private func uses(_ sealed: String, credentials: [String]) throws -> [Permissions.SealedUse] {
        let text = SealedManifest.text(sealed, credentials: credentials)
        return try PluginManifest(parsing: Array(text.utf8)).permissions.httpFetch[0].sealed
    }

    @Test func aUseNamesEveryCredentialThatItTakes() throws {
        let aws = try uses(
            #"{"sign":"aws-sigv4","credential":"a","id":"b","session":"c","region":"eu","service":"s3"}"#,
            credentials: ["a", "b", "c"])
        #expect(aws[0].credentials == ["a", "b", "c"] && aws[0].signs)
        let template = try uses(
            #"{"sign":"template","credential":"a","algorithm":"hmac-sha256","encoding":"hex","header":"S","#
                + #""parts":["credential:b","text:credential:x","credential:b"]}"#, credentials: ["a", "b"])
        #expect(template[0].credentials == ["a", "b"] && template[0].signs)
        let place = try uses(#"{"header":"H","credential":"a"}"#, credentials: ["a"])
        #expect(place[0].credentials == ["a"] && !place[0].signs)
        #expect(place[0].places == [.header("h")] && place[0].places != [.query("h")])
    }

    @Test func everyPartKeepsItsSpelling() throws {
        let names = [
            "method", "host", "path", "query", "target", "body", "body-sha256", "timestamp", "newline", "header:X-A",
            "text:a:b", "credential:b",
        ]
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        let use = try uses(
            #"{"sign":"template","credential":"a","algorithm":"ed25519","encoding":"base64","query":"s","#
                + #""parts":[\#(list)],"timestamp":{"query":"t","format":"milliseconds"}}"#, credentials: ["a", "b"])
        guard case .template(let template) = use[0] else { throw Unexpected() }
        #expect(template.parts.map(\.name) == names)
        #expect(use[0].places == [.query("s"), .query("t")])
    }

    private struct Unexpected: Error {}
}
