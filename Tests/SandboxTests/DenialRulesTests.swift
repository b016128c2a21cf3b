import Testing

@testable import Sandbox

@Suite struct DenialRulesTests {
    private func denial(
        _ profile: String, _ number: UInt32, _ arguments: [UInt64] = [0, 0, 0, 0, 0, 0]
    ) throws -> JailDenial {
        DenialRules(profile: try SyscallProfile.named(profile))
            .denial(CallData(number: number, arguments: arguments), processID: 7, time: 1)
    }

    @Test func aRefusedSocketSaysItsFamilyTheReasonAndTheService() throws {
        let denial = try denial("strict", 41, [40, 1, 0, 0, 0, 0])
        #expect(denial.call == "socket")
        #expect(denial.detail == "AF_VSOCK, SOCK_STREAM")
        #expect(denial.answer == "EPERM")
        #expect(denial.reason.contains("a way out"))
        #expect(denial.advice.contains("http.fetch"))
        #expect(denial.text.hasPrefix("socket(AF_VSOCK, SOCK_STREAM) refused with EPERM: "))
    }

    @Test func adviceNamesTheProfilesThatAllowTheVeryCall() throws {
        #expect(try denial("strict", 41, [1, 1, 0, 0, 0, 0]).advice.hasPrefix("allowed by profile compat"))
        #expect(
            try denial("strict", 41, [2, 1, 0, 0, 0, 0]).advice.hasPrefix("no profile and no permission allows it"))
        #expect(try denial("strict", 57).advice == "allowed by profile compat; instead: threads")
    }

    @Test func everyCallThatAFilterReportsIsExplained() throws {
        for name in ["native", "strict", "python", "node", "compat"] {
            let filter = try #require(FilterEvaluator(bytes: FilterCompiler.filter(profile: name).bytes))
            for number in UInt32(0)..<1024 {
                let call = [UInt64](repeating: 0xFFFF_FFF0, count: 6)
                guard filter.answer(CallData(number: number, arguments: call)) == .report else { continue }
                let denial = try denial(name, number, call)
                #expect(!denial.call.hasPrefix("call "), "\(number)")
                #expect(denial.reason.count > 8 && !denial.reason.contains("no line"))
            }
        }
    }

    @Test func aNumberWithoutANameIsShownAsANumber() throws {
        #expect(try denial("strict", 999).call == "call 999")
    }
}
