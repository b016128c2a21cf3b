import JSONBytes
import Testing

@testable import nexus

@Suite struct SealedUseTextTests {
    @Test(arguments: [
        (
            #"{"header":"Authorization","credential":"token","after":"Bearer "}"#,
            #"where asked, the host writes token into the header Authorization, after "Bearer ""#
        ),
        (#"{"query":"key","credential":"k"}"#, "where asked, the host writes k into the parameter key"),
        (
            #"{"sign":"aws-sigv4","credential":"k","id":"i","session":"s","region":"eu-west-1","service":"s3"}"#,
            "where asked, the host signs with k for i and s, AWS SigV4 for s3 in eu-west-1"
        ),
        (
            #"{"sign":"template","credential":"k","algorithm":"ed25519","encoding":"hex","parts":["path","body"],"#
                + #""header":"X-S","timestamp":{"query":"t","format":"seconds"}}"#,
            "where asked, the host signs path + body with k (ed25519, hex) into the header X-S, "
                + "the time (seconds) in the parameter t"
        ),
    ])
    func oneLineSaysWhatIsDone(use: String, line: String) throws {
        #expect(SealedUseText.line(try JSONValue(parsing: Array(use.utf8))) == line)
    }

    @Test func aStrangersTextCannotSteerTheTerminal() throws {
        let use = #"{"sign":"template","credential":"k","parts":["text:\u001b[2J"],"header":"H"}"#
        #expect(!SealedUseText.line(try JSONValue(parsing: Array(use.utf8))).contains("\u{1B}"))
    }
}
