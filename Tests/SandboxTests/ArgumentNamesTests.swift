import Testing

@testable import Sandbox

@Suite struct ArgumentNamesTests {
    private func describe(_ call: String, _ first: UInt64, _ second: UInt64 = 0) -> String {
        ArgumentNames.describe(call, [first, second, 0, 0, 0, 0])
    }

    @Test func wordsStandForTheNumbersThatDecide() {
        #expect(describe("socket", 2, 1 | 0o2000000) == "AF_INET, SOCK_STREAM")
        #expect(describe("socket", 99, 7) == "AF_99, type 7")
        #expect(describe("unshare", 0x1002_0000) == "CLONE_NEWUSER|CLONE_NEWNS")
        #expect(describe("clone", 17) == "0x11")
        #expect(describe("setns", 5, 0x4000_0000) == "CLONE_NEWNET")
        #expect(describe("prctl", 22) == "PR_SET_SECCOMP")
        #expect(describe("prctl", 77) == "option 77")
        #expect(describe("ptrace", 16) == "PTRACE_ATTACH")
        #expect(describe("keyctl", 0) == "0x0")
        #expect(describe("prlimit64", 12) == "process 12")
        #expect(describe("kcmp", 1, 2) == "processes 1 and 2")
    }

    @Test func callsWhoseNameSaysItAllHaveNoDetail() { #expect(describe("mount", 1).isEmpty) }

    /// The kernel ignores them, so a log must not be led astray by them either.
    @Test func bitsAbove32DoNotHideATerminalInjection() {
        #expect(describe("ioctl", 0, 0x5412 | 1 << 32) == "TIOCSTI")
        #expect(describe("ioctl", 0, 0x541C | 0xFFFF_FFFF << 32) == "TIOCLINUX")
        #expect(describe("socket", 40 | 1 << 40, 1).hasPrefix("AF_VSOCK"))
    }
}
