import Testing

@testable import Sandbox

@Suite struct FilterCompilerTests {
    @Test(arguments: FilterSemanticsTests.profiles)
    func everyProfileCompilesToWholeInstructions(profile: String) throws {
        for mode in [FilterCompiler.Mode.silent, .reported, .recorded] {
            let filter = try FilterCompiler.filter(profile: profile, mode: mode)
            #expect(filter.bytes.count % 8 == 0)
            #expect((8...4096).contains(filter.bytes.count / 8))
            #expect(filter.hasListener == (mode != .silent))
        }
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

    @Test func whatIsMeasuredIsWhatIsInstalled() throws {
        #expect(
            try ProfileFilter.bytes(of: "strict") == FilterCompiler.filter(profile: "strict", mode: .reported).bytes)
    }

    @Test func anAllowedNameThatNobodyKnowsIsAnError() {
        let profile = SyscallProfile(
            name: "x", allowed: [SyscallRule(name: "no_such_call", reason: "none", condition: nil)], denied: [])
        #expect(throws: JailError.self) { try FilterCompiler.compile(profile) }
    }

    @Test func aSilentFilterAsksNobody() throws {
        for profile in FilterSemanticsTests.profiles {
            let filter = try #require(
                FilterEvaluator(bytes: FilterCompiler.filter(profile: profile, mode: .silent).bytes))
            #expect(
                !filter.program.contains { $0.code == .answer && $0.value == FilterAction.report.value })
        }
    }

    @Test func valuesFromTwoSetsAreBothAccepted() throws {
        func rule(_ value: UInt32) -> SyscallRule {
            SyscallRule(
                name: "ioctl", reason: "test", condition: .init(argument: 1, mask: .max, values: [value]))
        }
        let profile = SyscallProfile(name: "x", allowed: [rule(1), rule(2)], denied: [])
        let filter = try #require(FilterEvaluator(bytes: FilterCompiler.compile(profile).bytes))
        for (value, expected) in [(1, FilterAction.allow), (2, .allow), (3, .refuse(errno: 38))] {
            #expect(
                filter.answer(CallData(number: 16, arguments: [0, UInt64(value), 0, 0, 0, 0])) == expected)
        }
    }

    /// Its refusal must explain itself, or a program hears a bare errno for half of a call.
    @Test func everyCallThatIsAllowedForSomeArgumentsIsInTheDeniedSet() throws {
        for name in try SyscallProfile.names() where name != "init" {
            let profile = try SyscallProfile.named(name)
            let denied = Set(profile.denied.map(\.name))
            for rule in profile.allowed where rule.condition != nil {
                #expect(denied.contains(rule.name), "\(rule.name)")
            }
        }
    }
}
