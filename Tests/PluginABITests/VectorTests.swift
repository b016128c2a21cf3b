import JSONBytes
import PluginABI
import SpecVectors
import Testing

/// The shared vectors (sdk/spec/vectors), run against this implementation.
@Suite struct VectorTests {
    @Test func everyFrameVectorHasItsOutcome() throws {
        let vectors = try #require(SpecFiles.json("sdk/spec/vectors/frames.json")["vectors"]?.arrayValue)
        #expect(Set(vectors.map { $0["name"] }).count == vectors.count)
        for vector in vectors {
            let name = try #require(vector["name"]?.stringValue)
            let bytes = try Hex.bytes(#require(vector["hex"]?.stringValue))
            if let expected = vector["frames"]?.arrayValue {
                try accept(name, bytes, expected, isCanonical: vector["canonical"] != false)
            } else {
                let error = try #require(vector["error"]?.stringValue)
                try refuse(name, bytes, error, at: vector["at"]?.stringValue, bodyLimit: vector["bodyLimit"]?.intValue)
            }
        }
        #expect(vectors.count >= 159)
    }

    private func accept(_ name: String, _ bytes: [UInt8], _ expected: [JSONValue], isCanonical: Bool) throws {
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        decoder.append(bytes)
        var encoded: [UInt8] = []
        for item in expected {
            let frame = try #require(try decoder.next(), "\(name): a frame is missing")
            let message = try Message(frame)
            #expect("\(frame.kind)" == item["kind"]?.stringValue, "\(name)")
            #expect("\(frame.stream)" == item["stream"]?.stringValue, "\(name)")
            #expect(message.vector == item["message"], "\(name)")
            encoded += message.frame(stream: frame.stream).encoded()
        }
        #expect(try decoder.next() == nil, "\(name)")
        #expect(decoder.pendingBytes == 0, "\(name)")
        #expect((encoded == bytes) == isCanonical, "\(name): encoding gives \(Hex.text(encoded))")
    }

    private func refuse(_ name: String, _ bytes: [UInt8], _ error: String, at place: String?, bodyLimit: Int?) throws {
        var decoder = FrameDecoder(bodyLimit: bodyLimit ?? ABILimits.bodyBytes)
        decoder.append(bytes)
        var seen = "incomplete"
        do {
            if let frame = try decoder.next() {
                #expect(place == "body", "\(name)")
                _ = try Message(frame)
                seen = "accepted"
            }
        } catch {
            seen = error.code.rawValue
            #expect(!error.message.isEmpty)
        }
        #expect(seen == error, "\(name)")
    }

    @Test func everyNegotiationVectorHasItsOutcome() throws {
        let vectors = try #require(SpecFiles.json("sdk/spec/vectors/negotiation.json")["vectors"]?.arrayValue)
        for vector in vectors {
            let name = try #require(vector["name"]?.stringValue)
            let host = try range(vector["host"])
            let plugin = try range(vector["plugin"])
            do {
                let version = try host.highestCommon(with: plugin)
                #expect(vector["version"]?.intValue == Int(version), "\(name)")
            } catch {
                #expect(vector["error"]?.stringValue == error.code.rawValue, "\(name)")
                #expect(vector["message"]?.stringValue == error.message, "\(name)")
            }
        }
        #expect(vectors.count >= 16)
    }

    private func range(_ value: JSONValue?) throws -> VersionRange {
        let ends = try #require(value?.arrayValue?.compactMap { $0.intValue.flatMap(UInt32.init(exactly:)) })
        try #require(ends.count == 2)
        return VersionRange(ends[0], ends[1])
    }

    @Test func everyLifecycleVectorHasItsOutcome() throws {
        let document = try SpecFiles.json("sdk/spec/vectors/lifecycle.json")
        let kinds = Dictionary(uniqueKeysWithValues: FrameKind.allCases.map { ("\($0)", $0) })
        let vectors = try #require(document["vectors"]?.arrayValue)
        var seen: Set<String> = []
        for vector in vectors {
            let name = try #require(vector["name"]?.stringValue)
            let kind = try #require(kinds[vector["kind"]?.stringValue ?? ""])
            let place = try #require(vector["place"]?.stringValue)
            let state = try #require(vector["state"]?.stringValue)
            var lifecycle = try reach(state, document, kinds)
            let (side, stream) = try self.place(place)
            var outcome: String
            do {
                switch try lifecycle.advance(on: kind, stream: stream, from: side) {
                case .deliver:
                    outcome = "deliver"
                    #expect(lifecycle.state.rawValue == state, "\(name)")
                case .entered(let next, let deadline):
                    outcome = next.rawValue
                    #expect(lifecycle.state == next, "\(name)")
                    #expect(deadline == next.deadlineMilliseconds, "\(name)")
                }
            } catch {
                outcome = "refused"
                #expect(error.code == .unexpectedMessage, "\(name)")
                #expect(lifecycle.state.isFinal, "\(name)")
            }
            #expect(vector["outcome"]?.stringValue == outcome, "\(name)")
            seen.insert("\(state) \(kind) \(place)")
        }
        #expect(seen.count == vectors.count)
        #expect(vectors.count == LifecycleState.allCases.count * (FrameKind.allCases.count + 1))
    }

    @Test func aFrameInTheWrongPlaceIsRefusedInEveryState() throws {
        let document = try SpecFiles.json("sdk/spec/vectors/lifecycle.json")
        let kinds = Dictionary(uniqueKeysWithValues: FrameKind.allCases.map { ("\($0)", $0) })
        var refused = 0
        for state in LifecycleState.allCases {
            for kind in FrameKind.allCases {
                let allowed = try #require(document["places"]?["\(kind)"]?.arrayValue?.map(\.stringValue))
                for side in ["host", "plugin"] {
                    for stream in ["session", "odd", "even"] where !allowed.contains("\(side)/\(stream)") {
                        var lifecycle = try reach(state.rawValue, document, kinds)
                        let (sender, number) = try place("\(side)/\(stream)")
                        #expect(throws: ABIError.self, "\(state) \(kind) \(side)/\(stream)") {
                            try lifecycle.advance(on: kind, stream: number, from: sender)
                        }
                        #expect(lifecycle.state.isFinal)
                        refused += 1
                    }
                }
            }
        }
        #expect(refused >= 1_000)
    }

    private func reach(_ state: String, _ document: JSONValue, _ kinds: [String: FrameKind]) throws -> Lifecycle {
        var lifecycle = Lifecycle()
        for kind in try #require(document["reach"]?[state]?.arrayValue) {
            _ = try lifecycle.advance(on: #require(kinds[kind.stringValue ?? ""]))
        }
        #expect(lifecycle.state.rawValue == state)
        return lifecycle
    }

    private func place(_ text: String) throws -> (side: Side, stream: UInt64) {
        let parts = text.split(separator: "/")
        let side = try #require(Side(rawValue: String(parts[0])))
        return (side, try #require(["session": 0, "odd": 7, "even": 8][parts[1]]))
    }

    @Test func deadlinesAreThoseOfTheVectors() throws {
        let deadlines = try #require(SpecFiles.json("sdk/spec/vectors/lifecycle.json")["deadlines"]?.objectValue)
        for state in LifecycleState.allCases {
            #expect(deadlines[state.rawValue]?.intValue.map(UInt64.init) == state.deadlineMilliseconds, "\(state)")
        }
        #expect(deadlines.count == 5)
    }
}
