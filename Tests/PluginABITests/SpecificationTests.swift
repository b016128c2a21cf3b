import JSONBytes
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

    @Test func theLimitsTableIsTheCode() throws {
        let code: [(String, Int)] = [
            ("headerBytes", ABILimits.headerBytes), ("bodyBytes", ABILimits.bodyBytes),
            ("handshakeBodyBytes", ABILimits.handshakeBodyBytes), ("fieldsPerFrame", ABILimits.fieldsPerFrame),
            ("jsonBytes", ABILimits.jsonBytes), ("jsonDepth", JSONLimits.standard.depth),
            ("jsonValues", JSONLimits.standard.values), ("nameBytes", ABILimits.nameBytes),
            ("textBytes", ABILimits.textBytes), ("credentialBytes", ABILimits.credentialBytes),
            ("credentialsPerCall", ABILimits.credentialsPerCall), ("openHostCalls", ABILimits.openHostCalls),
        ]
        let rows = try SpecFiles.table("Name | Limit")
        #expect(rows.map { $0[0] } == code.map(\.0))
        #expect(rows.map { $0[1].filter { $0 != "," } } == code.map { "\($0.1)" })
    }

    @Test func theKindsTableIsTheCode() throws {
        let rows = try SpecFiles.table("Kind | Number")
        #expect(
            rows.map { "\($0[0]) \($0[1]) \($0[2])" }
                == FrameKind.allCases.map { "\($0) \($0.rawValue) \($0.sender.map { "\($0)" } ?? "both")" })
    }

    @Test func reservedNumbersAreFree() throws {
        for number in [UInt8(37), 38, 39] { #expect(FrameKind(rawValue: number) == nil) }
        #expect(try SpecFiles.specification().contains("37 `progress`, 38 `data` and 39 `credit`"))
    }

    @Test func theFieldsTableIsWhatIsWritten() throws {
        var table: [String: Set<UInt16>] = [:]
        for row in try SpecFiles.table("Kind | Tag") {
            let isHex = row[1].hasPrefix("0x")
            table[row[0], default: []].insert(
                try #require(UInt16(row[1].dropFirst(isHex ? 2 : 0), radix: isHex ? 16 : 10)))
        }
        for message in Samples.full {
            let written = try tags(message.frame().body)
            #expect(written == table["\(message.kind)"] ?? [], "\(message.kind)")
            table["\(message.kind)"] = nil
        }
        #expect(table.isEmpty)
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

    @Test func theLifecycleTableIsTheCode() throws {
        var moves: [Lifecycle.Step: LifecycleState] = [:]
        let kinds = Dictionary(uniqueKeysWithValues: FrameKind.allCases.map { ("\($0)", $0) })
        for row in try SpecFiles.table("State | Message") {
            let state = try #require(LifecycleState(rawValue: row[0]))
            let next = try #require(LifecycleState(rawValue: row[2]))
            moves[Lifecycle.Step(state, try #require(kinds[row[1]]))] = next
            #expect(row[3] == next.deadlineMilliseconds.map { "\($0 / 1_000) s" } ?? "none", "\(row)")
        }
        #expect(moves == Lifecycle.moves)
    }

    @Test func theErrorsTableListsEveryCodeOfTheCode() throws {
        let codes: [ABIError.Code] = [
            .frameTooLarge, .malformedFrame, .unknownKind, .unknownCriticalField, .missingField, .noCommonVersion,
            .unexpectedMessage, .unknownStream, .deadlineExceeded, .cancelled, .permissionDenied, .unknownTool,
            .invalidArguments, .unavailable, .pluginFailed, .internalError,
        ]
        let rows = try SpecFiles.table("Code | Meaning")
        #expect(rows.map { $0[0] } == codes.map(\.rawValue))
        #expect(rows.allSatisfy { $0.count == 4 && ["yes", "no"].contains($0[2]) })
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
        #expect(count >= 50)
        #expect(last.section == 10)
    }

    @Test func theDocumentStaysReadable() throws {
        #expect(try SpecFiles.specification().split(separator: "\n", omittingEmptySubsequences: false).count <= 350)
    }
}
