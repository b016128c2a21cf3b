import Testing

struct MeasuresTests {
    /// Files that are larger than the rule, with their present number. Numbers go down and lines go away; nothing is
    /// added without saying why.
    static let ratchets: [(measure: Measure, path: String, number: Int)] = [
        // One function holds a plugin whose tools are its local functions.
        (.function, "sdk/python/tests/sample_plugin.py", 104)
    ]

    private static let files = SourceTree.files("swift", "c", "h", "py")

    @Test(arguments: Measure.allCases)
    func nothingIsLargerThanItsLimitOrItsRatchet(measure: Measure) {
        for file in Self.files {
            let (number, place) = measure.value(of: file)
            let ratchet = Self.ratchets.first { $0.measure == measure && $0.path == file.path }
            let limit = ratchet?.number ?? measure.limit
            #expect(number <= limit, "\(file.path): \(measure.rawValue) is \(number), the limit is \(limit) (\(place))")
        }
    }

    @Test func ratchetsOnlyTighten() {
        for ratchet in Self.ratchets {
            guard let file = SourceTree.file(ratchet.path) else {
                Issue.record("\(ratchet.path) is gone: remove its ratchet")
                continue
            }
            let (number, _) = ratchet.measure.value(of: file)
            #expect(number > ratchet.measure.limit, "\(ratchet.path) fits the rule now: remove its ratchet")
            #expect(number >= ratchet.number, "\(ratchet.path) is down to \(number): lower its ratchet to that")
        }
    }

    @Test func functionsAreMeasuredFromDeclarationToClosingBrace() {
        let swift = """
            struct A {
                func b() { c() }
                private static func d(
                    e: Int
                ) -> Int {
                    e
                }
                init() {}
                var f: Int {
                    1
                }
            }
            """
        let found = Functions.all(in: SourceTree.File(path: "a.swift", text: swift))
        #expect(found.map(\.lines) == [1, 5, 1, 3])
        let c = "static int a(int b) {\n  return b;\n}\nint c;\nvoid d(\n  int e) {\n}\n"
        #expect(Functions.all(in: SourceTree.File(path: "a.c", text: c)).map(\.lines) == [3])
        let python = "def a(\n    b,\n):\n    return b\n\nclass C:\n    def d(self):\n        pass\n"
        #expect(Functions.all(in: SourceTree.File(path: "a.py", text: python)).map(\.lines) == [4, 2])
    }

    @Test func wideLinesAreCounted() {
        let text = String(repeating: "é", count: 120) + "\n" + String(repeating: "x", count: 121) + "\n"
        #expect(Measure.wide.value(of: SourceTree.File(path: "a.swift", text: text)).number == 1)
    }
}
