import Testing

struct SwiftTextTests {
    @Test func commentsAndStringsAreBlanked() {
        let text = "let a = \"try! b\" // as! c\nlet d = e!"
        let code = SwiftText.code(of: text)
        #expect(!code.contains("try!") && !code.contains("as!"))
        #expect(code.hasSuffix("\nlet d = e!") && code.count == text.count)
    }

    @Test func interpolatedCodeIsKept() {
        #expect(SwiftText.code(of: #"print("x \(a["k"]!) y")"#).contains(#"(a[   ]!)"#))
    }

    @Test func rawAndMultilineStringsAreBlanked() {
        let quotes = "\"\"\""
        let text = "let a = #\"say \"x!\" \\(y!)\"#\nlet b = \(quotes)\n  \"z!\"\n  \(quotes)\nreturn c"
        let code = SwiftText.code(of: text)
        #expect(!code.contains("!") && code.hasSuffix("return c"))
    }
}
