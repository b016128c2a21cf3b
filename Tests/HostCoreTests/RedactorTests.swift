import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct RedactorTests {
    private func redactor(_ values: String...) -> Redactor {
        let redactor = Redactor()
        redactor.learn(values.map { Credential(name: "key", value: SecretBytes(copying: Array($0.utf8))) })
        return redactor
    }

    @Test func everyOccurrenceGoesAndTheRestStays() {
        let redactor = redactor("s3cret-value")
        #expect(redactor.redact("a s3cret-value b s3cret-value") == "a [redacted] b [redacted]")
        #expect(redactor.redact("s3cret-value") == "[redacted]")
        #expect(redactor.redact("s3cret-valu") == "s3cret-valu")
        #expect(redactor.redact("") == "")
        #expect(redactor.redact("ss3cret-values") == "s[redacted]s")
        #expect(redactor.redact("s3cret-value".unicodeScalars.reversed().map(String.init).joined()) == "eulav-terc3s")
    }

    @Test func valuesThatOverlapAreAllTakenOut() {
        #expect(redactor("abcdefgh", "abcdefgh12345678").redact("abcdefgh12345678") == "[redacted]")
        #expect(redactor("aaaaaaaa").redact("aaaaaaaaaaaa") == "[redacted]aaaa")
    }

    @Test func secretsThatOverlapInATextAreTakenOutWhole() {
        let redactor = redactor("first-sec", "secret-two", "-secret-")
        #expect(redactor.redact("a first-secret-two b") == "a [redacted] b")
        #expect(redactor.redact("first-secfirst-sec") == "[redacted][redacted]")
    }

    @Test func theBeginningOfASecretOverAndOverIsNotLookedAtForEver() {
        let secret =
            "beginningand the rest of a secret that is as long as they come" + String(repeating: "x", count: 9_000)
        let redactor = redactor(secret)
        let text = String(repeating: "beginnin", count: 100_000)
        let clean = redactor.redact(text + secret)
        #expect(!clean.contains("as long as they come"))
        #expect(clean.utf8.count < text.utf8.count, "it was searched to the end: \(clean.utf8.count)")
        #expect(redactor.redact("beginning without an end") == "beginning without an end")
    }

    @Test func noSecretIsShorterThanWhatItIsFoundBy() {
        #expect(Redactor.window <= HostLimits.redactedFromBytes)
    }

    @Test func inJSONEverySpellingOfAValueIsTakenOut() throws {
        let secret = "ab/cd\"ef\\gh\n\u{1}é𝄞"
        let redactor = redactor(secret)
        let spellings = [
            JSONValue.string(secret).text, #""ab\/cd\"ef\\gh\n\u0001é𝄞""#,
            #""ab/cd\"ef\\gh\n\u0001\u00e9\ud834\udd1e""#, #""\u0061b\/cd\"ef\\gh\n\u0001\u00E9\uD834\uDD1E""#,
        ]
        for spelling in spellings {
            let document = "{\"a\":[1,\(spelling)],\(spelling):true}"
            let clean = try JSONValue(parsing: redactor.redact(json: Array(document.utf8)))
            #expect(clean == ["a": [1, "[redacted]"], "[redacted]": true], "\(spelling)")
        }
    }

    @Test func aNumberThatIsTheSecretIsTakenOutToo() {
        let clean = redactor("1234567890").redact(json: Array("[1234567890,12345]".utf8))
        #expect(String(decoding: clean, as: UTF8.self) == "[\"[redacted]\",12345]")
    }

    @Test func jsonWithoutSecretsIsCarriedByteForByte() {
        let document = Array("{ \"b\" : 1.50 ,\"a\":\"\\u0041\" }".utf8)
        #expect(redactor("s3cret-value").redact(json: document) == document)
    }

    @Test func textAsNexusWritesJSONIsRedactedInLogs() {
        let secret = "with \"quotes\" in it"
        #expect(redactor(secret).redact("said \(JSONValue.string(secret).text)!") == "said \"[redacted]\"!")
    }

    @Test func shortValuesAreTooCommonToSearchFor() {
        #expect(redactor("1234567").redact("1234567 in a price") == "1234567 in a price")
        #expect(redactor("12345678").redact("12345678 in a text") == "[redacted] in a text")
    }

    @Test func credentialsOfEarlierCallsStayKnown() {
        let redactor = redactor("first-secret")
        redactor.learn([Credential(name: "key", value: SecretBytes(copying: Array("second-secret".utf8)))])
        #expect(redactor.redact("first-secret second-secret") == "[redacted] [redacted]")
    }

    @Test func theRedactorHoldsNoSecret() {
        let redactor = redactor("a-secret-to-look-for")
        var rendering = ""
        dump(redactor, to: &rendering)
        #expect(!rendering.contains("a-secret-to-look-for"))
        #expect(!rendering.contains(Array("a-secret-to-look-for".utf8).description.dropFirst().dropLast()))
    }
}
