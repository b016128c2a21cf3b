import Foundation
import Testing

@testable import HostCore

/// docs/METRICS.md and the table say the same.
@Suite struct MetricFamilyTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/METRICS.md")

    private func rows() throws -> [[String]] {
        try String(contentsOf: Self.page, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `nexus_") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    @Test func thePageListsEveryMetricWithItsKindAndLabels() throws {
        let listed = try rows().map { Array($0.prefix(3)) }
        let table = MetricFamily.all.map { family in
            let labels = family.labels.isEmpty ? "–" : family.labels.map { "`\($0)`" }.joined(separator: ", ")
            return ["`\(family.name)`", family.kind.rawValue, labels]
        }
        #expect(listed == table)
    }

    @Test func thePageListsEveryStageAndEveryEnd() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        for word in CallStage.allCases.map(\.rawValue) + InstanceEnd.allCases.map(\.rawValue) {
            #expect(text.contains("`\(word)`"), "\(word)")
        }
    }

    @Test func namesFollowTheRulesOfPrometheus() {
        for family in MetricFamily.all {
            #expect(family.name.hasPrefix("nexus_"))
            #expect(family.name.hasSuffix("_total") == (family.kind == .counter), "\(family.name)")
            #expect(family.name.hasSuffix("_seconds") == (family.kind == .histogram), "\(family.name)")
            #expect(Set(family.labels).isDisjoint(with: ["principal", "user", "actor", "arguments", "le"]))
        }
        #expect(MetricFamily.bounds == MetricFamily.bounds.sorted() && Set(MetricFamily.bounds).count == 22)
        #expect(MetricFamily.bounds.last == Int64(HostLimits.callMilliseconds) * 1_000_000)
    }
}
