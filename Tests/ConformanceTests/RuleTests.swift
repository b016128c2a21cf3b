import JSONBytes
import PluginABI
import Testing

@testable import Conformance

/// Does the kit name the requirements of the documents, and send what the vectors hold?
@Suite struct RuleTests {
    @Test func everyCheckNamesARequirementOfTheDocuments() throws {
        let plan = try CallPlan(manifest: nil, json: nil, file: nil)
        var text = try Controls.bytes(Controls.root + "/sdk/spec/abi-v1.md")
        text += (try? Controls.bytes(Controls.root + "/sdk/spec/manifest-v1.md")) ?? ""
        for requirement in Set(CheckRunner.checks(plan).map(\.requirement)) {
            let isThere = text.contains("**\(requirement)**")
            #expect(isThere, "\(requirement) is in no document")
        }
    }

    @Test func everyMalformedFrameOfTheKitIsRefusedByTheReferenceWithTheSameCode() {
        #expect(MalformedFrame.all.count > 70)
        for malformed in MalformedFrame.all {
            var decoder = FrameDecoder(
                bodyLimit: malformed.state == .greeted ? ABILimits.handshakeBodyBytes : ABILimits.bodyBytes)
            decoder.append(malformed.bytes)
            do throws(ABIError) {
                guard let frame = try decoder.next() else {
                    Issue.record("\(malformed.name) is no whole frame")
                    continue
                }
                _ = try Message(frame)
                Issue.record("\(malformed.name) is a good frame")
            } catch {
                #expect(error.code.rawValue == malformed.code, "\(malformed.name)")
            }
        }
    }

    @Test func theKitSendsTheVectorsOfTheSpecification() throws {
        let vectors = try JSONValue(parsing: Controls.bytes(Controls.root + "/sdk/spec/vectors/frames.json"))
        let known = Set(MalformedFrame.all.map(\.bytes))
        for vector in vectors["vectors"]?.arrayValue ?? [] where vector["at"] == "header" {
            guard vector["error"] != "incomplete", let hexadecimal = vector["hex"]?.stringValue else { continue }
            #expect(
                known.contains(bytes(hexadecimal)), "run sdk/conformance/make_vectors.py: \(hexadecimal.prefix(32))")
        }
    }

    private func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    @Test(arguments: [
        ("ABI-6", "ABI-6.1", true), ("ABI-7.1", "ABI-7.10", false), ("ABI-7.1", "ABI-7.1", true),
        ("ABI", "ABI-2.1", true), ("ABI-1", "ABI-10.1", false), ("MAN", "ABI-1.1", false),
    ])
    func onlyNamesWholeNumbers(_ prefix: String, _ requirement: String, _ isNamed: Bool) {
        #expect(CheckRunner.names(prefix, requirement) == isNamed)
    }
}
