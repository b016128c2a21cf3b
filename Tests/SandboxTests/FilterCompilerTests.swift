import Testing

@testable import Sandbox

@Suite struct FilterCompilerTests {
    @Test(arguments: ["native", "strict", "python", "compat", "init"])
    func everyProfileCompilesToWholeInstructions(profile: String) throws {
        let filter = try FilterCompiler.filter(profile: profile)
        #expect(filter.bytes.count % 8 == 0)
        #expect((8...4096).contains(filter.bytes.count / 8))
    }

    /// struct sock_filter: the first instruction must load the architecture, offset 4 of seccomp_data.
    @Test func theArchitectureIsLookedAtFirst() throws {
        let first = Array(try FilterCompiler.filter(profile: "strict").bytes.prefix(8))
        #expect(first == [0x20, 0, 0, 0, 4, 0, 0, 0])
    }

    @Test func compilingIsDeterministic() throws {
        let profile = try SyscallProfile.named("strict")
        #expect(try FilterCompiler.compile(profile) == FilterCompiler.compile(profile))
    }

    @Test func anAllowedNameThatNobodyKnowsIsAnError() {
        let profile = SyscallProfile(
            name: "x", allowed: [SyscallRule(name: "no_such_call", reason: "none", condition: nil)], denied: [])
        #expect(throws: JailError.self) { try FilterCompiler.compile(profile) }
    }
}
