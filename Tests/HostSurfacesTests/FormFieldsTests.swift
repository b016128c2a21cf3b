import PluginABI
import Testing

@testable import HostSurfaces

@Suite struct FormFieldsTests {
    private func parse(_ text: String) -> FormFields? { FormFields(SecretBytes(copying: Array(text.utf8))) }

    @Test func fieldsAreDecodedAsBrowsersWriteThem() {
        let fields = parse("code=A1+B&value-0=%2B%26%3D%25%0A%C3%A9&empty=&bare")
        #expect(fields?.text("code") == "A1 B" && fields?.text("value-0") == "+&=%\né")
        #expect(fields?.text("empty") == "" && fields?.text("bare") == "" && fields?.text("absent") == nil)
        #expect(parse("")?.text("code") == nil)
    }

    @Test func aValueMayBeAnyBytesAndIsTextOnlyWhereItIs() {
        let fields = parse("a=%FF%00")
        #expect(fields?.secret("a")?.withBytes { Array($0) } == [0xFF, 0] && fields?.text("a") == nil)
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%é9", "a=1&a=2", "%FF=1", "a=1&%61=2"])
    func whatIsNoFormIsNothing(text: String) { #expect(parse(text) == nil) }

    @Test func moreFieldsThanAnyFormHasAreNothing() {
        let many = (0..<FormFields.limit).map { "f\($0)=1" }
        #expect(parse(many.joined(separator: "&")) != nil)
        #expect(parse((many + ["one=1"]).joined(separator: "&")) == nil)
    }

    @Test func valuesShowNothingOfThemselves() {
        #expect(!"\(String(describing: parse("value-0=canary")))".contains("canary"))
    }
}
