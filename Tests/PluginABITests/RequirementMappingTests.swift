import Foundation
import JSONBytes
import SpecVectors
import Testing

/// Each requirement of the specification says what holds it, and that is there: a test in Swift (`Suite.test`), one of
/// the Python SDK (`test_file.test_name`), or the kit (`nexus conform`, `nexus conform --host`).
@Suite struct RequirementMappingTests {
    static let documents = ["abi-v1", "manifest-v1"]

    struct Requirement {
        var id: String
        var kind: String
        var tests: [String]
    }

    private static func mapping(of document: String) throws -> [Requirement] {
        let object = try #require(SpecFiles.json("sdk/spec/\(document).requirements.json").objectValue)
        return try object.members.map { id, entry in
            Requirement(
                id: id, kind: try #require(entry["class"]?.stringValue, "\(id)"),
                tests: try #require(entry["tests"]?.arrayValue, "\(id)").map { try #require($0.stringValue, "\(id)") })
        }
    }

    /// Paths below a folder of the repository, and what is in them.
    private static func files(in folder: String, ending: String) throws -> [(path: String, text: String)] {
        let names = try #require(FileManager.default.enumerator(atPath: "\(SpecFiles.root)/\(folder)"), "\(folder)")
        return try names.compactMap { $0 as? String }.filter { $0.hasSuffix(ending) }.map {
            ($0, String(decoding: try SpecFiles.bytes("\(folder)/\($0)"), as: UTF8.self))
        }
    }

    /// Tests that run: what follows `@Test` and is not disabled.
    static func testsInSwift(of text: String) -> [String] {
        guard let suite = text.firstMatch(of: /struct (\w+Tests)\b/) else { return [] }
        return text.components(separatedBy: "@Test").dropFirst().compactMap { part in
            guard let function = part.firstMatch(of: /func (\w+)\(/),
                !part[..<function.range.lowerBound].contains(".disabled(")
            else { return nil }
            return "\(suite.1).\(function.1)"
        }
    }

    private static func tests() throws -> Set<String> {
        let swift = try files(in: "Tests", ending: "Tests.swift").flatMap { testsInSwift(of: $0.text) }
        let python = try files(in: "sdk/python/tests", ending: ".py").flatMap { path, text in
            text.matches(of: /(?:^|\n)def (test_\w+)\(/).map { "\(path.dropLast(".py".count)).\($0.1)" }
        }
        return Set(swift + python)
    }

    @Test(arguments: documents) func everyRequirementIsMappedInOrder(document: String) throws {
        let text = String(decoding: try SpecFiles.bytes("sdk/spec/\(document).md"), as: UTF8.self)
        let ids = text.matches(of: /\n- \*\*([A-Z]+-\d+\.\d+)\*\*/).map { String($0.1) }
        #expect(ids.count > 40)
        #expect(try Self.mapping(of: document).map(\.id) == ids)
    }

    @Test(arguments: documents) func everyTestThatARequirementNamesExists(document: String) throws {
        let tests = try Self.tests()
        for requirement in try Self.mapping(of: document) {
            #expect(["Plugin", "Host", "Both"].contains(requirement.kind), "\(requirement.id): \(requirement.kind)")
            #expect(!requirement.tests.isEmpty, "\(requirement.id) has no test")
            #expect(Set(requirement.tests).count == requirement.tests.count, "\(requirement.id) names a test twice")
            for test in requirement.tests where !test.hasPrefix("nexus conform") {
                let exists = tests.contains(test)
                #expect(exists, "\(requirement.id): there is no test \(test)")
            }
        }
    }

    /// Marked are those that the kit's sources name, and no others; of a class that the kit's half can judge.
    @Test(arguments: documents) func whatTheKitJudgesIsMarked(document: String) throws {
        let halves = [("nexus conform", "Checks", "Host"), ("nexus conform --host", "Host", "Plugin")]
        for (word, folder, otherClass) in halves {
            let sources = try Self.files(in: "sdk/conformance/Sources/Conformance/\(folder)", ending: ".swift")
            let judged = Set(sources.flatMap { $0.text.matches(of: /"([A-Z]+-\d+\.\d+)"/).map { String($0.1) } })
            #expect(judged.count > 40)
            for requirement in try Self.mapping(of: document) {
                let isMarked = requirement.tests.contains(word)
                #expect(isMarked == judged.contains(requirement.id), "\(requirement.id): \(word)")
                #expect(!isMarked || requirement.kind != otherClass, "\(requirement.id): \(word)")
            }
        }
        let words = try Self.mapping(of: document).flatMap(\.tests).filter { $0.hasPrefix("nexus ") }
        #expect(Set(words).isSubset(of: halves.map(\.0)))
    }

    @Test func disabledTestsHoldNothing() {
        let text = """
            @Suite struct SampleTests {
                func noTest() {}
                @Test func first() {}
                @Test(.disabled("not yet"), .timeLimit(.minutes(1)))
                func second() async throws {}
                @Test(arguments: [1]) func third(_ one: Int) { func inner() {} }
            }
            """
        #expect(Self.testsInSwift(of: text) == ["SampleTests.first", "SampleTests.third"])
    }
}
