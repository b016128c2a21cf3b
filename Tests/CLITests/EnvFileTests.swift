import Testing

@testable import nexus

@Suite struct EnvFileTests {
    private func read(_ text: String) -> [String: String] {
        EnvFile(Array(text.utf8)).entries.reduce(into: [:]) { $0[$1.name] = String(decoding: $1.value, as: UTF8.self) }
    }

    /// Each line as dotenv (Node), python-dotenv and docker read it where they agree.
    @Test(arguments: [
        ("A=b", "b"), ("A= b ", "b"), ("A = b", "b"), ("export A=b", "b"), ("  export   A=b\r", "b"), ("A=", ""),
        ("A=b # c", "b"), ("A=b#c", "b#c"), ("A=#c", ""), ("A='b # c' # d", "b # c"), ("A=\"b\\nc\"", "b\nc"),
        ("A='b\\nc'", "b\\nc"), ("A=\"b\\\"c\\\\\"", "b\"c\\"), ("A=`b'\"c`", "b'\"c"), ("A=\"b\nc\"", "b\nc"),
        ("A=a=b==", "a=b=="), ("A=$b", "$b"), ("A='${b}'", "${b}"), ("A=\"\\x\"", "\\x"), ("\u{FEFF}A=b", "b"),
        ("A=1\nA=2", "2"), ("A=b\n", "b"), ("A=b\r\n", "b"), ("A=é", "é"), ("A='b'", "b"), ("A=\"\"", ""),
    ])
    func valuesAreReadAsOthersReadThem(text: String, value: String) {
        #expect(read(text + "\nNEXT=1") == ["A": value, "NEXT": "1"], "\(text)")
        #expect(EnvFile(Array((text + "\nNEXT=1").utf8)).bad.isEmpty, "\(text)")
    }

    @Test func aKeyInPEMIsReadInQuotesAndNotCutOffWithout() {
        let pem = "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----"
        #expect(read("A=\"\(pem)\"\nB=1") == ["A": pem, "B": "1"])
        let one = pem.replacing("\n", with: "\\n")
        #expect(read("A=\"\(one)\"") == ["A": pem])
        let file = EnvFile(Array("A=\(pem)\nB=1".utf8))
        #expect(file.entries.map(\.name) == ["B"] && file.bad == [1, 2, 3])
        #expect(read("A=-----BEGIN X-----QUJD-----END X-----").count == 1)
    }

    @Test func badLinesAreNumbersAndTheRestIsRead() {
        let text = """
            # comment
            A=1
            not a line
            9X=1
            B='unfinished
            C="closed" and more
            D=${A}
            E="x${A}"
            =1
            export

            F="two
            lines"
            G=2
            """
        let file = EnvFile(Array(text.utf8))
        #expect(file.bad == [3, 4, 5, 6, 7, 8, 9, 10])
        #expect(file.entries.map(\.name) == ["A", "F", "G"] && file.entries.map(\.line) == [2, 12, 14])
    }

    @Test func noBytesMakeItTrapOrLoop() {
        var random = SystemRandomNumberGenerator()
        let signs = Array("A=\"'`#\\$\n\r {x-".utf8) + [0, 0xFF]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in signs.randomElement(using: &random) ?? 0
            }
            let file = EnvFile(bytes)
            #expect(file.entries.count + file.bad.count <= bytes.count + 1)
        }
    }
}
