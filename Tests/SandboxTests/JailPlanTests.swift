import CJail
import Foundation
import Testing

@testable import Sandbox

/// The header that both languages include is the only list of operations; what Swift adds must not drift from it.
@Suite struct JailPlanTests {
    private static func header() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appendingPathComponent("Sources/Sandbox/CJail/include/plan_format.h")
        return try String(contentsOf: file, encoding: .utf8)
    }

    @Test func everyOperationOfTheHeaderHasItsNameAtItsCode() throws {
        var found = 0
        for line in try Self.header().split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 3, words[0].hasPrefix("JAIL_"), words[1] == "=", !words[0].contains("REPORT"),
                words[0] != "JAIL_CODE_END", let code = UInt32(words[2].dropLast())
            else { continue }
            found += 1
            let name = words[0].dropFirst(5).lowercased().replacingOccurrences(of: "_", with: "-")
            #expect(PlanOpcode.name(code) == name)
        }
        #expect(found == PlanOpcode.names.count)
        #expect(Int(JAIL_CODE_END.rawValue) == found + 1)
    }

    @Test func structuresHaveTheSizesThatThePlanCountsWith() {
        #expect(MemoryLayout<jail_plan_header>.size == 32)
        #expect(MemoryLayout<jail_operation>.size == 40)
        #expect(ReportRecord.size == 24 + Int(JAIL_LAYER_BYTES) + Int(JAIL_DETAIL_BYTES))
    }

    @Test func theRangeOfOuterIdsIsFarFromRealUsers() {
        #expect(JAIL_OUTER_ID_FIRST == 2_000_000_000)
        #expect(JAIL_OUTER_ID_COUNT == 65_536)
    }
}
