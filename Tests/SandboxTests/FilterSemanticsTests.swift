import Foundation
import Testing

@testable import Sandbox

/// The compiled filters, judged without the kernel: every number, and the arguments that matter.
@Suite struct FilterSemanticsTests {
    static let profiles = ["native", "strict", "strict-tcp", "python", "python-tcp", "node", "compat", "init"]

    private func filter(
        _ profile: String, _ mode: FilterCompiler.Mode = .reported
    ) throws
        -> FilterEvaluator
    {
        try #require(FilterEvaluator(bytes: FilterCompiler.filter(profile: profile, mode: mode).bytes))
    }

    private func arguments(_ value: UInt64, at index: Int) -> [UInt64] {
        var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]
        arguments[index] = value
        return arguments
    }

    @Test(arguments: profiles)
    func everyNumberAndArgumentIsAnsweredAsTheJSONSays(profile: String) throws {
        let (filter, oracle) = (try filter(profile), try ProfileOracle(profile))
        let checked = Set(
            try SyscallProfile.named(profile).allowed.filter { $0.condition != nil }.map(\.name))
        for number in UInt32(0)..<1024 {
            let name = CallNames.all[number]
            let values =
                name.map(checked.contains) == true ? InterestingArguments.values : InterestingArguments.few
            for index in 0..<6 {
                for value in values {
                    let call = CallData(number: number, arguments: arguments(value, at: index))
                    let (got, expected) = (filter.answer(call), oracle.answer(name, call.arguments))
                    guard got != expected else { continue }
                    Issue.record(
                        "\(name ?? "\(number)") argument \(index) = \(value): \(String(describing: got))")
                }
            }
        }
    }

    @Test(arguments: profiles)
    func everyNameOfTheProfileHasItsNumberInTheFilter(profile: String) throws {
        let known = Set(CallNames.all.values)
        let missing = try ProfileOracle(profile).allowedNames.subtracting(known)
        #expect(missing.isEmpty, "not on this machine: \(missing)")
    }

    @Test(arguments: profiles, [FilterCompiler.Mode.silent, .reported, .recorded])
    func ia32CallsAndX32CallsAreKilled(profile: String, mode: FilterCompiler.Mode) throws {
        let filter = try filter(profile, mode)
        for number in UInt32(0)..<1024 {
            #expect(filter.answer(CallData(number: number, architecture: 0x4000_0003)) == .kill)
            #expect(filter.answer(CallData(number: number | 0x4000_0000)) == .kill)
        }
        for architecture: UInt32 in [0, 0x4000_0028, FilterProgram.architecture ^ 1, .max] {
            #expect(filter.answer(CallData(number: 0, architecture: architecture)) == .kill)
        }
        #expect(filter.answer(CallData(number: .max)) == .kill)
    }

    @Test(arguments: profiles, [FilterCompiler.Mode.silent, .reported, .recorded])
    func clone3AnswersThatItDoesNotExist(profile: String, mode: FilterCompiler.Mode) throws {
        #expect(try filter(profile, mode).answer(CallData(number: 435)) == .refuse(errno: 38))
    }

    /// `reported` may differ from `silent` only in who says EPERM: nothing is allowed by it.
    @Test(arguments: profiles)
    func askingTheHostAllowsNothingMore(profile: String) throws {
        let (silent, reported) = (try filter(profile, .silent), try filter(profile, .reported))
        for number in UInt32(0)..<1024 {
            for value in number == 16 || number == 56
                ? InterestingArguments.values : InterestingArguments.few
            {
                let call = CallData(number: number, arguments: [value, value, value, 0, 0, 0])
                switch (silent.answer(call), reported.answer(call)) {
                case (.allow, .allow), (.watch, .watch), (.refuse(errno: 38), .refuse(errno: 38)),
                    (.refuse(errno: 1), .report):
                    break
                case (let first, let second):
                    Issue.record("\(call): \(String(describing: (first, second)))")
                }
            }
        }
    }

    /// The one call that a recording lets through by itself is the one that hands its listener to the host.
    @Test(arguments: profiles)
    func aRecordingShowsEveryCallToTheHostButItsOwnHandover(profile: String) throws {
        let filter = try filter(profile, .recorded)
        for number in UInt32(0)..<1024 where number != 435 {
            for value in number == 46 ? InterestingArguments.values : InterestingArguments.few {
                let call = CallData(number: number, arguments: [value, value, value, value, value, value])
                let handover = number == 46 && UInt32(truncatingIfNeeded: value) == 4
                #expect(filter.answer(call) == (handover ? .allow : .report))
            }
        }
    }

    @Test(arguments: ["native", "strict", "strict-tcp", "python", "python-tcp", "node", "compat"])
    func everySocketFamilyButUnixIsRefused(profile: String) throws {
        let filter = try filter(profile)
        for family in UInt64(0)...50 {
            for type: UInt64 in [1, 2, 3, 5, 1 | 0o2000000, 2 | 0o4000, 1 << 32] {
                let call = CallData(number: 41, arguments: [family, type, 0, 0, 0, 0])
                let expected: FilterAction = profile == "compat" && family == 1 ? .allow : .report
                #expect(filter.answer(call) == expected, "family \(family), type \(type)")
                let high = CallData(number: 41, arguments: [family | 1 << 32, type, 0, 0, 0, 0])
                #expect(filter.answer(high) == expected)
            }
        }
    }

    @Test(arguments: ["native", "strict", "strict-tcp", "python", "python-tcp", "node", "compat"])
    func ioUringIsRefusedWithoutKilling(profile: String) throws {
        for number: UInt32 in [425, 426, 427] {
            #expect(try filter(profile).answer(CallData(number: number)) == .report)
        }
    }

    @Test(arguments: ["strict-tcp", "python-tcp"])
    func aPassedSocketIsOnlyAStream(profile: String) throws {
        let filter = try filter(profile)
        func answer(_ number: UInt32, _ arguments: [UInt64]) -> FilterAction? {
            filter.answer(CallData(number: number, arguments: arguments))
        }
        let plain: Set<UInt64> = [0, 0x40, 0x4000, 0x8000, 0x4040, 0x8040, 0xC000, 0xC040]
        for flags in InterestingArguments.values + Array(plain) {
            let isPlain = plain.contains(flags % (1 << 32))
            #expect(answer(44, [9, 0, 1, flags, 0, 0]) == (isPlain ? .allow : .report), "sendto, flags \(flags)")
            #expect(answer(46, [9, 0, flags, 0, 0, 0]) == (isPlain ? .allow : .report), "sendmsg, flags \(flags)")
        }
        for length: UInt64 in [1, 16, 28, 128, 0xFFFF_FFFF] {
            #expect(answer(44, [9, 0, 1, 0, 0x7000, length]) == .report, "an address of \(length) bytes")
        }
        for level: UInt64 in 0...300 {
            for option: UInt64 in 0...90 {
                let delays = level == 6 && option == 1
                #expect(answer(54, [9, level, option, 0, 4, 0]) == (delays ? .allow : .report))
                let isAsked = delays || level == 1 && [3, 4, 7, 8, 38, 39].contains(option)
                #expect(answer(55, [9, level, option, 0, 0, 0]) == (isAsked ? .allow : .report))
            }
        }
        // connect, accept, bind, listen, accept4: whatever their arguments.
        for number: UInt32 in [42, 43, 49, 50, 288] { #expect(answer(number, [9, 0, 0, 0, 0, 0]) == .report) }
        #expect(answer(51, [9, 0, 0, 0, 0, 0]) == .refuse(errno: 38), "getsockname")
        // SIOCGIFCONF, SIOCGIFADDR, SIOCETHTOOL
        for request: UInt64 in [0x8912, 0x8915, 0x8946] { #expect(answer(16, [9, request, 0, 0, 0, 0]) == .report) }
    }

    /// What a profile lets through, for a reviewer. Written anew with NEXUS_GOLDEN=write.
    @Test(arguments: profiles)
    func theSummaryOfEachFilterIsTheReviewedOne(profile: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Fixtures/filters/\(profile).txt")
        // Nobody is asked about process 1: its refusals are the kernel's alone.
        let summary = FilterSummary.text(profile, try filter(profile, profile == "init" ? .silent : .reported))
        if ProcessInfo.processInfo.environment["NEXUS_GOLDEN"] == "write" {
            try summary.write(to: file, atomically: true, encoding: .utf8)
            Issue.record("written: \(file.path); review it and run without NEXUS_GOLDEN")
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == summary)
    }
}

/// One filter in words, found out by asking it.
enum FilterSummary {
    static func text(_ profile: String, _ filter: FilterEvaluator) -> String {
        var (allowed, reported, refused, some): ([String], [String], [String], [String]) = (
            [], [], [], []
        )
        var watched: [String] = []
        for (number, name) in CallNames.all.sorted(by: { $0.value < $1.value }) {
            let plain = filter.answer(CallData(number: number))
            let differing = (0..<6).compactMap { values(filter, number, at: $0) }
            if !differing.isEmpty {
                some.append("  \(name): " + differing.joined(separator: "; "))
            } else if plain == .allow {
                allowed.append(name)
            } else if plain == .watch {
                watched.append(name)
            } else if plain == .report {
                reported.append(name)
            } else if plain == .refuse(errno: 1) {
                refused.append(name)
            }
        }
        return """
            profile \(profile): \(filter.program.count) instructions
            killed: calls of another architecture, x32 calls

            allowed (\(allowed.count)):
            \(wrapped(allowed))

            allowed once, while init watches (\(watched.count)):
            \(wrapped(watched))

            allowed for some arguments, else refused with EPERM (\(some.count)):
            \(some.joined(separator: "\n"))

            refused with EPERM and reported (\(reported.count)):
            \(wrapped(reported))

            refused with EPERM by the kernel alone (\(refused.count)):
            \(wrapped(refused))

            refused with ENOSYS: every other number

            """
    }

    /// The values below 2^32 of one argument that change the answer to a call of otherwise zeros.
    private static func values(_ filter: FilterEvaluator, _ number: UInt32, at index: Int) -> String? {
        func answer(_ value: UInt64) -> FilterAction? {
            var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]
            arguments[index] = value
            return filter.answer(CallData(number: number, arguments: arguments))
        }
        let tried = InterestingArguments.values.filter { $0 < 1 << 32 }
        let accepted = tried.filter { answer($0) == .allow }
        guard !accepted.isEmpty, accepted.count < tried.count else { return nil }
        let few = accepted.count <= 24 ? accepted : Array(accepted.prefix(24))
        let list = few.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
        return "argument \(index) of \(list)"
            + (few.count < accepted.count ? " … (\(accepted.count) of those tried)" : "")
    }

    private static func wrapped(_ names: [String]) -> String {
        var lines: [String] = []
        for name in names {
            if let last = lines.last, last.count + name.count < 110 {
                lines[lines.count - 1] = "\(last) \(name)"
            } else {
                lines.append("  \(name)")
            }
        }
        return lines.joined(separator: "\n")
    }
}
