import JSONBytes
import SpecVectors
import Testing

@testable import PluginABI

/// The document and the code say the same.
@Suite struct SpecificationTests {
    @Test func everyHexBlockIsTheVectorOfItsName() throws {
        let vectors = try #require(SpecFiles.json("sdk/spec/vectors/frames.json")["vectors"]?.arrayValue)
        var blocks = 0
        var name: String?
        var digits = ""
        for line in try SpecFiles.specification().split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```hex ") {
                name = line.dropFirst("```hex ".count).trimming(" ")
                digits = ""
            } else if line == "```", let current = name {
                let vector = try #require(vectors.first { $0["name"]?.stringValue == current }, "no vector \(current)")
                #expect(vector["hex"]?.stringValue == digits, "\(current)")
                var decoder = FrameDecoder()
                decoder.append(try Hex.bytes(digits))
                let frame = try #require(try decoder.next())
                _ = try Message(frame)
                #expect(decoder.pendingBytes == 0)
                blocks += 1
                name = nil
            } else if name != nil {
                digits += line.prefix { $0 != "#" }.filter { $0 != " " }
            }
        }
        #expect(blocks >= 3)
    }

    @Test func theLimitsAreTheCode() throws {
        let code: [(String, Int)] = [
            ("headerBytes", ABILimits.headerBytes), ("bodyBytes", ABILimits.bodyBytes),
            ("handshakeBodyBytes", ABILimits.handshakeBodyBytes), ("fieldsPerFrame", ABILimits.fieldsPerFrame),
            ("jsonBytes", ABILimits.jsonBytes), ("jsonDepth", JSONLimits.standard.depth),
            ("jsonValues", JSONLimits.standard.values), ("nameBytes", ABILimits.nameBytes),
            ("textBytes", ABILimits.textBytes), ("credentialBytes", ABILimits.credentialBytes),
            ("credentialsPerCall", ABILimits.credentialsPerCall), ("openHostCalls", ABILimits.openHostCalls),
            ("dataBytes", ABILimits.dataBytes), ("initialCreditBytes", ABILimits.initialCreditBytes),
            ("creditBytes", ABILimits.creditBytes),
        ]
        let rows = try SpecFiles.schema("limits")
        #expect(rows.map { $0["name"]?.stringValue } == code.map(\.0))
        #expect(rows.map { $0["value"]?.intValue } == code.map(\.1))
    }

    @Test func theKindsAreTheCode() throws {
        let rows = try SpecFiles.schema("kinds").map { kind in
            [kind["name"]?.stringValue, kind["number"]?.intValue.map { "\($0)" }, kind["sender"]?.stringValue]
        }
        let code = FrameKind.allCases.map { ["\($0)", "\($0.rawValue)", $0.sender.map { "\($0)" } ?? "both"] }
        #expect(rows == code)
        let terminal = try SpecFiles.schema("kinds").filter { $0["terminal"] == true }.map { $0["name"]?.stringValue }
        #expect(terminal == FrameKind.allCases.filter(\.isTerminal).map { "\($0)" })
    }

    @Test func theFieldsAreWhatIsWritten() throws {
        let table = Dictionary(
            uniqueKeysWithValues: try SpecFiles.schema("kinds").map { kind in
                let tags = (kind["fields"]?.arrayValue ?? []).compactMap { $0["tag"]?.intValue.map(UInt16.init) }
                return (kind["name"]?.stringValue ?? "", Set(tags))
            })
        #expect(table.count == Samples.full.count)
        for message in Samples.full {
            #expect(try tags(message.frame().body) == table["\(message.kind)"], "\(message.kind)")
        }
    }

    @Test func everyFieldIsAsStrictAsItsType() throws {
        for kind in try SpecFiles.schema("kinds") {
            let name = kind["name"]?.stringValue ?? ""
            let sample = try #require(Samples.full.first { "\($0.kind)" == name })
            for field in kind["fields"]?.arrayValue ?? [] {
                let tag = FieldTag(UInt16(try #require(field["tag"]?.intValue)))
                let type = try #require(field["type"]?.stringValue)
                let without = try Self.body(of: sample, replacing: tag, with: nil)
                let absent = Frame(kind: sample.kind, stream: 1, body: without)
                if field["required"] == true {
                    #expect(throws: ABIError(.missingField, "field \(tag.rawValue) is missing"), "\(name) \(tag)") {
                        try Message(absent)
                    }
                } else {
                    #expect(throws: Never.self, "\(name) \(tag)") { try Message(absent) }
                }
                for value in try #require(Self.unfit[type], "\(type)") {
                    let body = try Self.body(of: sample, replacing: tag, with: value)
                    #expect(throws: ABIError.self, "\(name) \(tag.rawValue) as \(type): \(value.count) bytes") {
                        try Message(Frame(kind: sample.kind, stream: 1, body: body))
                    }
                }
            }
        }
    }

    /// For each type of the schema, values that are none.
    private static let unfit: [String: [[UInt8]]] = [
        "u8": [[], [1, 2]], "u32": [[], [1, 2, 3], [1, 2, 3, 4, 5]], "u64": [[], [UInt8](repeating: 1, count: 7)],
        "name": [[0xFF], [UInt8](repeating: 0x61, count: ABILimits.nameBytes + 1)],
        "text": [[0xC3], [UInt8](repeating: 0x61, count: ABILimits.textBytes + 1)],
        "JSON": [[], Array("{".utf8), Array("{} {}".utf8)], "object": [[], Array("[]".utf8), Array("1".utf8)],
        "bytes": [], "credential": [[], [1, 2, 3]],
    ]

    /// The message's fields, one of them left out or with another value.
    private static func body(of message: Message, replacing tag: FieldTag, with value: [UInt8]?) throws -> [UInt8] {
        var writer = FieldWriter()
        var rest = message.frame().body[...]
        while !rest.isEmpty {
            let found = FieldTag(try #require(rest.prefix(2).littleEndian(UInt16.self)))
            let length = Int(try #require(rest.dropFirst(2).prefix(4).littleEndian(UInt32.self)))
            let old = rest.dropFirst(6).prefix(length)
            if found != tag {
                writer.write(found, bytes: old)
            } else if let value {
                writer.write(found, bytes: value)
            }
            rest = rest.dropFirst(6 + length)
        }
        return writer.body
    }

    private func tags(_ body: [UInt8]) throws -> Set<UInt16> {
        var tags: Set<UInt16> = []
        var rest = body[...]
        while !rest.isEmpty {
            tags.insert(try #require(rest.prefix(2).littleEndian(UInt16.self)))
            let length = try #require(rest.dropFirst(2).prefix(4).littleEndian(UInt32.self))
            rest = rest.dropFirst(6 + Int(length))
        }
        return tags
    }

    @Test func theLifecycleIsTheCode() throws {
        let states = try SpecFiles.schema("states")
        #expect(states.map { $0["name"]?.stringValue } == LifecycleState.allCases.map(\.rawValue))
        #expect(states.map { $0["final"] == true } == LifecycleState.allCases.map(\.isFinal))
        #expect(
            states.map { $0["deadline"]?.intValue.map(UInt64.init) }
                == LifecycleState.allCases.map(\.deadlineMilliseconds))
        var moves: [String: LifecycleState] = [:]
        let kinds = Dictionary(uniqueKeysWithValues: FrameKind.allCases.map { ("\($0)", $0) })
        for move in try SpecFiles.schema("moves") {
            let state = try #require(LifecycleState(rawValue: move["state"]?.stringValue ?? ""))
            let kind = try #require(kinds[move["message"]?.stringValue ?? ""])
            moves["\(state) × \(kind)"] = try #require(LifecycleState(rawValue: move["next"]?.stringValue ?? ""))
        }
        for state in LifecycleState.allCases {
            for kind in FrameKind.allCases {
                #expect(Lifecycle.next(state, kind) == moves["\(state) × \(kind)"], "\(state) × \(kind)")
            }
        }
    }

    @Test func theTrafficIsTheCode() throws {
        var traffic: Set<String> = []
        for rule in try SpecFiles.schema("traffic") {
            for message in rule["messages"]?.arrayValue ?? [] {
                for state in rule["states"]?.arrayValue ?? [] {
                    traffic.insert("\(state.stringValue ?? "") × \(message.stringValue ?? "")")
                }
            }
        }
        try #require(!traffic.isEmpty)
        for state in LifecycleState.allCases {
            for kind in FrameKind.allCases {
                let step = "\(state) × \(kind)"
                #expect(Lifecycle.mayTravel(kind, in: state) == traffic.contains(step), "\(step)")
            }
        }
    }

    @Test func theErrorsAreEveryCodeOfTheCode() throws {
        let codes: [ABIError.Code] = [
            .frameTooLarge, .malformedFrame, .unknownKind, .unknownCriticalField, .missingField, .noCommonVersion,
            .unexpectedMessage, .unknownStream, .flowControl, .deadlineExceeded, .cancelled, .permissionDenied,
            .credentialMissing, .unauthenticated, .unknownTool, .invalidArguments, .unavailable, .pluginFailed,
            .internalError,
        ]
        let errors = try SpecFiles.schema("errors")
        #expect(errors.map { $0["code"]?.stringValue } == codes.map(\.rawValue))
        let ofPlugins = errors.filter { $0["fromPlugin"] == true }.map { $0["code"]?.stringValue }
        #expect(ofPlugins == ABIError.Code.ofPlugins.map(\.rawValue))
    }

    @Test func theTablesOfTheDocumentAreMadeFromTheSchema() throws {
        let text = try SpecFiles.specification()
        for (list, name) in [("kinds", "name"), ("limits", "name"), ("errors", "code"), ("services", "name")] {
            for entry in try SpecFiles.schema(list) {
                let key = try #require(entry[name]?.stringValue)
                #expect(text.contains("| \(key) |"), "\(key) is not in a table; run sdk/spec/render.py")
            }
        }
    }

    @Test func requirementsAreNumberedWithoutGaps() throws {
        var last = (section: 0, number: 0)
        var count = 0
        for line in try SpecFiles.specification().split(separator: "\n") where line.hasPrefix("- **ABI-") {
            let numbers = line.dropFirst("- **ABI-".count).prefix { $0 != "*" }.split(separator: ".").compactMap {
                Int($0)
            }
            try #require(numbers.count == 2)
            let isNext = numbers[0] == last.section ? numbers[1] == last.number + 1 : numbers[1] == 1
            #expect(isNext && numbers[0] >= last.section, "ABI-\(numbers[0]).\(numbers[1])")
            last = (numbers[0], numbers[1])
            count += 1
        }
        #expect(count >= 74)
        #expect(last.section == 11)
    }

    @Test func theDocumentStaysReadable() throws {
        #expect(try SpecFiles.specification().split(separator: "\n", omittingEmptySubsequences: false).count <= 640)
    }
}
