import JSONBytes
import Testing

@testable import Sandbox

@Suite struct JailExplanationTests {
    private static let old = Explanation(sections: [
        .init("files", [.init("/tmp", "64 MiB"), .init("/data", "read-only")]),
        .init("network", []),
    ])
    private static let new = Explanation(sections: [
        .init("files", [.init("/tmp", "128 MiB")]),
        .init("network", [.init("GET https://a.example/", "prices")]),
    ])

    @Test func entriesWithTheSameDetailShareALineAndAnEmptySectionSaysSo() {
        let explanation = Explanation(sections: [
            .init(
                "system calls", [.init("read", "its channel"), .init("write", "its channel"), .init("poll", "waits")]),
            .init("network", []),
        ])
        #expect(
            explanation.text == """
                system calls
                  read, write: its channel
                  poll: waits
                network
                  none
                """)
        #expect(explanation.json["system calls"]?.arrayValue?.count == 3)
        #expect(explanation.json["network"]?.arrayValue?.isEmpty == true)
    }

    @Test func differenceShowsWhatIsAddedRemovedAndChanged() {
        #expect(
            ExplanationDifference(from: Self.old, to: Self.new).text == """
                ~ files: /tmp: 64 MiB → 128 MiB
                - files: /data: read-only
                + network: GET https://a.example/: prices
                """)
        #expect(ExplanationDifference(from: Self.old, to: Self.old).text == "the jails are the same")
        let json = ExplanationDifference(from: Self.new, to: Self.old).json.arrayValue ?? []
        #expect(json.map { $0["change"]?.stringValue } == ["changed", "added", "removed"])
        #expect(json.first?["before"]?.stringValue == "128 MiB")
    }

    /// A section that only one version has must not be lost.
    @Test func sectionsOfEitherSideAreCompared() {
        let empty = Explanation(sections: [])
        #expect(ExplanationDifference(from: empty, to: Self.old).lines.map(\.change) == [.added, .added])
        #expect(ExplanationDifference(from: Self.old, to: empty).lines.map(\.change) == [.removed, .removed])
    }
}
