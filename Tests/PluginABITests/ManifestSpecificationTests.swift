import JSONBytes
import SpecVectors
import Testing

@testable import PluginABI

/// sdk/spec/manifest-v1.md and the code say the same.
@Suite struct ManifestSpecificationTests {
    static func text() throws -> String {
        try #require(String(validating: SpecFiles.bytes("sdk/spec/manifest-v1.md"), as: UTF8.self))
    }

    /// The rows of the table whose header row starts with `columns`, cells trimmed.
    static func table(_ columns: String) throws -> [[String]] {
        var rows: [[String]] = []
        var isInside = false
        for line in try text().split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("| \(columns)") {
                isInside = true
            } else if !line.hasPrefix("|") {
                isInside = false
            } else if isInside, !line.hasPrefix("|--") {
                rows.append(line.split(separator: "|").map { $0.trimming(" ") })
            }
        }
        return rows
    }

    /// Ids of the requirements in the order of the document.
    private func requirements() throws -> [String] {
        try Self.text().split(separator: "\n").filter { $0.hasPrefix("- **") }.map {
            String($0.dropFirst("- **".count).prefix { $0 != "*" })
        }
    }

    @Test func requirementsAreNumberedWithoutGaps() throws {
        var last = (section: 0, number: 0)
        for id in try requirements() {
            let numbers = id.dropFirst("MAN-".count).split(separator: ".").compactMap { Int($0) }
            try #require(id.hasPrefix("MAN-") && numbers.count == 2, "\(id)")
            let isNext = numbers[0] == last.section ? numbers[1] == last.number + 1 : numbers == [last.section + 1, 1]
            #expect(isNext, "\(id) after MAN-\(last.section).\(last.number)")
            last = (numbers[0], numbers[1])
        }
        #expect(last.section == 9)
    }

    @Test func theExampleIsAManifestThatThisHostInstalls() throws {
        let parts = try Self.text().split(separator: "```json\n")
        let example = try #require(parts.dropFirst().first?.split(separator: "```", maxSplits: 1).first)
        let manifest = try PluginManifest(parsing: Array(example.utf8))
        #expect(manifest.name == "price-watch")
        #expect(manifest.unsupported(by: .nexus) == [])
    }

    @Test func theKeywordsTableIsTheCode() throws {
        var kinds: [String: Set<String>] = [:]
        for row in try Self.table("Keyword | Kind") {
            kinds[row[1], default: []].formUnion(row[0].split(separator: ",").map { $0.trimming(" ") })
        }
        #expect(
            kinds == [
                "assertion": JSONSchema.assertions, "schema": JSONSchema.oneSchema, "schemas": JSONSchema.manySchemas,
                "named schemas": JSONSchema.namedSchemas, "annotation": JSONSchema.annotations,
            ])
        let types = try #require(try Self.table("Keyword | Kind").first { $0[0] == "type" })
        #expect(types[2] == "one or more of \(JSONSchema.types.sorted().joined(separator: ", "))")
    }

    @Test func everyPermissionSaysWhatEnforcesIt() throws {
        let vector = try ManifestSamples.vector("everything-at-once")
        let full = try #require(vector?["manifest"]?["permissions"])
        let names = (full.objectValue?.members ?? []).map(\.key)
        #expect(Set(try Self.table("Permission | Shape").map { $0[0] }) == Set(names))
        let numbers = (full["resources"]?.objectValue?.members ?? []).map(\.key).filter { $0 != "reason" }
        let expected = names.filter { $0 != "resources" } + numbers.map { "resources.\($0)" } + ["everything else"]
        let rows = try Self.table("What is granted or withheld")
        #expect(Set(rows.map { $0[0] }) == Set(expected))
        #expect(rows.allSatisfy { $0.count == 3 && !$0[1].isEmpty && !$0[2].isEmpty })
    }

    @Test func whatTheTableCallsNotEnforcedIsRefused() throws {
        let rows = try Self.table("What is granted or withheld")
        let refused = rows.filter { $0[2].hasPrefix("not enforced yet: installing is refused") }.map { $0[0] }
        #expect(refused == ["filesystem"])
        #expect(HostOffer.nexus.permissions.isDisjoint(with: refused))
        let isolations = try Self.table("Isolation |").filter { !$0[2].hasPrefix("not enforced yet") }.map { $0[0] }
        #expect(isolations == ["`shared` (default)", "`per-user`", "`per-call`"])
        #expect(HostOffer.nexus.isolations == Set(PluginManifest.Isolation.allCases))
    }

    @Test func theDocumentStaysReadable() throws {
        #expect(try Self.text().split(separator: "\n", omittingEmptySubsequences: false).count <= 350)
    }
}
