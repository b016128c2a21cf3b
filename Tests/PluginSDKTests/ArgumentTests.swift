import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

@Suite struct ArgumentTests {
    private enum Side: String, CaseIterable, ArgumentValue { case buy = "BUY", sell = "SELL" }

    private struct Place: ToolArguments {
        @Argument("The town", minLength: 2, maxLength: 30) var town: String
        init() {}
    }

    private struct Everything: ToolArguments {
        @Argument("Whom", minLength: 1, maxLength: 5) var name: String
        @Argument("How often", in: 1...10) var times: Int = 1
        @Argument("How much", in: 0.5...1) var share: Double
        @Argument var loud: Bool = false
        @Argument("Marks", minItems: 1, maxItems: 2) var tags: [String]
        @Argument("A title", maxLength: 4) var title: String?
        @Argument var side: Side = .buy
        @Argument var place: Place
        @Argument var stops: [Place]?
        @Argument var anything: JSONValue?
        init() {}
    }

    private let good: JSONValue = [
        "name": "Ada", "share": 1, "tags": ["a"], "place": ["town": "Ulm"], "stops": [["town": "Bonn"]],
    ]

    private func changed(_ name: String, _ value: JSONValue?) -> JSONValue {
        var object = good.objectValue ?? JSONObject()
        object[name] = value
        return .object(object)
    }

    /// As a call does: the schema first, then the values.
    private func read(_ json: JSONValue) throws -> Everything {
        let schema = try JSONSchema(.object(Everything.argumentSchema(depth: 0)))
        if let violation = schema.violations(in: json).first {
            throw ToolError(.invalidArguments, violation.description)
        }
        return try Everything(argument: json, at: "")
    }

    @Test func schemaSaysAllThatTheTypeSays() throws {
        let place: JSONValue = [
            "type": "object",
            "properties": ["town": ["type": "string", "description": "The town", "minLength": 2, "maxLength": 30]],
            "required": ["town"], "additionalProperties": false,
        ]
        #expect(
            try JSONValue.object(Everything.argumentSchema(depth: 0)) == [
                "type": "object",
                "properties": [
                    "name": ["type": "string", "description": "Whom", "minLength": 1, "maxLength": 5],
                    "times": [
                        "type": "integer", "description": "How often", "minimum": 1, "maximum": 10, "default": 1,
                    ],
                    "share": ["type": "number", "description": "How much", "minimum": .half, "maximum": 1],
                    "loud": ["type": "boolean", "default": false],
                    "tags": [
                        "type": "array", "items": ["type": "string"], "description": "Marks", "minItems": 1,
                        "maxItems": 2,
                    ],
                    "title": ["type": "string", "description": "A title", "maxLength": 4],
                    "side": ["type": "string", "enum": ["BUY", "SELL"], "default": "BUY"],
                    "place": place, "stops": ["type": "array", "items": place], "anything": [:],
                ],
                "required": ["name", "share", "tags", "place"], "additionalProperties": false,
            ])
    }

    @Test func valuesAreReadByTheNamesOfTheirProperties() throws {
        let read = try read(good)
        #expect(read.name == "Ada")
        #expect(read.times == 1)
        #expect(read.share == 1)
        #expect(!read.loud)
        #expect(read.tags == ["a"])
        #expect(read.title == nil)
        #expect(read.side == .buy)
        #expect(read.place.town == "Ulm")
        #expect(read.stops?.map(\.town) == ["Bonn"])
        #expect(read.anything == nil)
        #expect(try self.read(changed("side", "SELL")).side == .sell)
        #expect(try self.read(changed("times", 7)).times == 7)
    }

    @Test(
        arguments: [
            ("name", nil, "/: \"name\" is required and missing"),
            ("name", "", "/name: must have at least 1 characters, found 0"),
            ("name", 3, "/name: must be string, found integer"),
            ("times", 11, "/times: must be at most 10"),
            ("share", 2, "/share: must be at most 1"),
            ("tags", ["a", "b", "c"], "/tags: must have at most 2 items, found 3"),
            ("tags", ["a", 1], "/tags/1: must be string, found integer"),
            ("side", "HOLD", "/side: must be one of [\"BUY\",\"SELL\"]"),
            ("place", ["town": "X"], "/place/town: must have at least 2 characters, found 1"),
            ("stops", [["town": 1]], "/stops/0/town: must be string, found integer"),
            ("colour", 1, "/colour: is not an argument of this tool"),
        ] as [(String, JSONValue?, String)])
    func mismatchNamesItsPlace(name: String, value: JSONValue?, expected: String) {
        let error = #expect(throws: ToolError.self) { try read(changed(name, value)) }
        #expect(error?.code == .invalidArguments)
        #expect(error?.message.hasPrefix(expected) == true, "\(error?.message ?? "")")
    }

    @Test func integerBeyondSixtyFourBitsIsRefusedWithItsPlace() {
        let huge = JSONValue.number(JSONNumber(1e30) ?? JSONNumber(0))
        let error = #expect(throws: ToolError.self) { try [Int](argument: [1, huge], at: "/counts") }
        #expect(error?.message.hasPrefix("/counts/1: must be an integer from") == true)
    }

    @Test func readingTwiceGivesTwoValues() throws {
        let first = try read(good)
        let second = try read(changed("name", "Bob"))
        #expect(first.name == "Ada")
        #expect(second.name == "Bob")
        var copy = second
        copy.name = "Cy"
        #expect(second.name == "Bob")
        #expect(copy.name == "Cy")
    }

    @Test func argumentsWriteWhatTheyRead() throws {
        let again = try read(good).jsonValue()
        #expect(try read(again).jsonValue() == again)
        #expect(again["title"] == nil)
        #expect(again["times"] == 1)
    }
}

extension JSONValue {
    fileprivate static var half: JSONValue { JSONNumber(0.5).map { .number($0) } ?? .null }
}
