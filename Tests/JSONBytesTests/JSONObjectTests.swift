import JSONBytes
import Testing

@Suite struct JSONObjectTests {
    @Test func membersKeepTheirOrder() {
        let object = JSONObject([(key: "z", value: 1), (key: "a", value: 2)])
        #expect(object.members.map(\.key) == ["z", "a"])
    }

    @Test func equalityIgnoresOrder() {
        let left: JSONValue = ["a": 1, "b": [1, 2]]
        let right: JSONValue = ["b": [1, 2], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1])
        #expect(left != ["a": 1, "c": [1, 2]])
    }

    @Test func smallAndLargeObjectsAnswerAlike() {
        for size in [0, 1, 11, 12, 13, 200] {
            var object = JSONObject((0..<size).map { (key: "n\($0)", value: JSONValue($0)) })
            for number in 0..<size { #expect(object["n\(number)"] == JSONValue(number)) }
            #expect(object["n\(size)"] == nil)
            object["n0"] = "first"
            #expect(object["n0"] == "first")
            object["n0"] = nil
            for number in stride(from: 2, to: size, by: 2) { object["n\(number)"] = nil }
            for number in 0..<size where number % 2 == 1 { #expect(object["n\(number)"] == JSONValue(number)) }
            #expect(object["n0"] == nil)
        }
    }

    @Test func ofEqualNamesTheLastWins() {
        let object = JSONObject([(key: "a", value: 1), (key: "a", value: 2)])
        #expect(object.count == 1)
        #expect(object["a"] == 2)
    }

    @Test func lookAlikeNamesStayApartInLargeObjects() {
        var object = JSONObject((0..<20).map { (key: "n\($0)", value: JSONValue($0)) })
        object["\u{E9}"] = "composed"
        object["e\u{301}"] = "decomposed"
        #expect(object.count == 22)
        #expect(object["\u{E9}"] == "composed")
        #expect(object["e\u{301}"] == "decomposed")
    }

    @Test func manyNamesAreRead() throws {
        let text = "{" + (0..<100_000).map { "\"name\($0)\":0" }.joined(separator: ",") + "}"
        #expect(try JSONValue(parsing: text).objectValue?.count == 100_000)
    }
}
