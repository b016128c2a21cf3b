import JSONBytes
import Testing

@testable import Sandbox

@Suite struct JailDenialTests {
    private func denial(count: Int) -> JailDenial {
        var denial = JailDenial(
            time: 5, call: "unshare", number: 272, arguments: [0x1000_0000, 0, 0, 0, 0, 0], detail: "CLONE_NEWUSER",
            answer: "EPERM", profile: "python", reason: "namespaces", advice: "no profile allows it", processID: 9)
        denial.count = count
        return denial
    }

    @Test func theTextIsOneLineWithWhatRuleAndAdvice() {
        #expect(
            denial(count: 1).text
                == "unshare(CLONE_NEWUSER) refused with EPERM: namespaces; profile python; no profile allows it")
        #expect(denial(count: 12).text.contains("EPERM (12 times): "))
    }

    @Test func jsonHasEveryField() {
        #expect(
            denial(count: 2).json.text
                == #"{"time":5,"call":"unshare","number":272,"arguments":["0x10000000","0x0","0x0","0x0","0x0","0x0"],"#
                + #""detail":"CLONE_NEWUSER","answer":"EPERM","profile":"python","reason":"namespaces","#
                + #""advice":"no profile allows it","processID":9,"count":2,"isPath":false}"#)
    }
}
