import CJail
import Glibc
import Testing

@testable import Sandbox

/// Which paths lie outside of a jail, by its policy alone; and how its author hears of them, with the real kernel.
@Suite(.serialized) struct PathRulesTests {
    private let paths: JailPaths = {
        var policy = SystemPolicy.program(["/usr/bin/true"])
        policy.mounts.append(JailMount(source: "/srv", destination: "/data/in"))
        policy.mounts.append(JailMount(source: "/var/tmp", destination: "/data/in/out", weakening: .writableMount))
        policy.temporary = ["/own": 1 << 20]
        return JailPaths(policy)
    }()

    @Test func whatThePolicyMountsIsInsideWhetherOrNotItExists() {
        for path in ["/usr", "/usr/bin/env", "/usr/no-such", "/data/in/x", "/dev/null", "/proc/self/maps", "/tmp/x"] {
            #expect(paths.verdict(path, writes: false) == .inside, "\(path)")
        }
        for path in ["/tmp/x", "/own/x", "/data/in/out/x", "/dev/null"] {
            #expect(paths.verdict(path, writes: true) == .inside, "\(path)")
        }
    }

    @Test func whatNothingMountsIsAbsentAlsoWhereANameMerelyBeginsAlike() {
        for path in ["/etc/passwd", "/usrlocal", "/data/other", "/dev/kmsg", "/tmpx", "/home/a", "/library"] {
            #expect(paths.verdict(path, writes: false) == .absent, "\(path)")
            #expect(paths.verdict(path, writes: true) == .absent, "\(path)")
        }
    }

    @Test func theWayToAMountIsThereAndTheDeepestMountDecidesAboutWriting() {
        for path in ["/", "/data", "/dev"] { #expect(paths.verdict(path, writes: false) == .inside, "\(path)") }
        for path in ["/", "/data", "/usr/x", "/data/in/x"] {
            #expect(paths.verdict(path, writes: true) == .readOnly, "\(path)")
        }
    }

    @Test func linksOfTheRootAndDotsAreFollowedAsText() {
        #expect(paths.verdict("/lib/x86_64-linux-gnu/libc.so.6", writes: false) == .inside)
        #expect(paths.verdict("/bin/../../etc/shadow", writes: false) == .absent)
        #expect(paths.verdict("/usr/../etc/shadow", writes: false) == .absent)
        #expect(paths.verdict("//usr/./bin/..", writes: false) == .inside)
        #expect(JailPaths.plain("/../../a//b/.") == "/a/b")
    }

    @Test func openFlagsSayWhetherACallWrites() throws {
        let open = try #require(PathCall.all.first { $0.name == "openat" })
        let flags = [O_RDONLY: false, O_WRONLY: true, O_RDWR: true, O_RDONLY | O_CREAT: true]
        for (flag, writes) in flags { #expect(open.writes([0, 0, UInt64(flag), 0, 0, 0]) == writes) }
    }

    /// A call that is looked at goes on only where the profile's own filter lets it.
    @Test(arguments: ["strict", "python", "native", "node", "compat"])
    func showingPathsAllowsNothingMore(profile: String) throws {
        var policy = SystemPolicy.program(["/usr/bin/true"], profile: profile)
        policy.showPaths(advice: "", weakening: .shownPaths)
        let rules = try PathRules(policy)
        let shown = try #require(FilterEvaluator(bytes: FilterCompiler.filter(profile: profile, mode: .shown).bytes))
        let silent = try #require(FilterEvaluator(bytes: FilterCompiler.filter(profile: profile, mode: .silent).bytes))
        let reported = try #require(FilterEvaluator(bytes: FilterCompiler.filter(profile: profile).bytes))
        var looked = 0
        for number in UInt32(0)..<1024 {
            for value: UInt64 in [0, 1, 2, 0x5412, .max] {
                let call = CallData(number: number, arguments: [value, value, value, 0, 0, 0])
                let isShown = rules.isShown(call) != nil
                looked += isShown ? 1 : 0
                #expect(!isShown || silent.answer(call) == .allow)
                #expect(shown.answer(call) == (isShown ? .report : reported.answer(call)), "\(number)")
            }
        }
        #expect(looked > 0)
    }

    private func run(
        _ command: [String], person: Person, showing: Bool = true
    ) async throws -> (output: String, denials: [JailDenial], report: JailReport) {
        let launcher = try person.launcher()
        defer { launcher.close() }
        var policy = SystemPolicy.program(command)
        if showing { policy.showPaths(advice: "mount it", weakening: .shownPaths) }
        let capture = try Capture()
        let jail = try await launcher.spawn(policy, descriptors: JailDescriptors(standardOutput: capture.writing))
        var denials: [JailDenial] = []
        for await denial in jail.denials { denials.append(denial) }
        _ = await jail.exited()
        return (capture.finish(), denials, jail.report)
    }

    @Test(arguments: Person.available)
    func aPathThatTheJailDoesNotHaveIsToldOnceAndTheKernelAnswers(person: Person) async throws {
        let script = """
            cd /usr; for i in 1 2 3; do read x </etc/shadow; read x <../etc/hostname; done; read x </usr/bin/nothing
            : >/usr/new; echo 12 >/tmp/own; read x </tmp/own; echo "read $x"
            """
        let (output, denials, report) = try await run(["/usr/bin/bash", "-c", script], person: person)
        #expect(output == "read 12", "what the jail has is still to be had")
        #expect(report["paths"]?.state == .applied)
        let said = denials.filter { ["/etc/shadow", "/etc/hostname", "/usr/new"].contains($0.detail) }
        #expect(said.map(\.answer) == ["ENOENT", "ENOENT", "EROFS"])
        #expect(said.first?.text == "openat /etc/shadow: not in the jail (ENOENT); mount it")
        #expect(!denials.contains { $0.detail.hasPrefix("/usr/bin") || $0.detail.hasPrefix("/tmp") })
        for denial in denials { print("path [\(person.rawValue)]: \(denial.text)") }
    }

    @Test func withoutItNoPathIsLookedAt() async throws {
        let (_, denials, report) = try await run(
            ["/usr/bin/cat", "/etc/shadow"], person: .ordinary, showing: false)
        #expect(denials.isEmpty && report["paths"]?.state == .notUsed)
    }

    /// What is refused by the filter stays so, and a program that looks for thousands of files is told of some.
    @Test func refusedCallsStayRefusedAndAFloodOfPathsIsBounded() async throws {
        let script = """
            import ctypes, errno, os
            for number in range(2000):
                try: os.stat(f"/nowhere/{number}")
                except FileNotFoundError: pass
            libc = ctypes.CDLL(None, use_errno=True)
            print(libc.unshare(0x10000000), errno.errorcode[ctypes.get_errno()])
            """
        let (output, denials, _) = try await run(["/usr/bin/python3", "-c", script], person: .ordinary)
        #expect(output == "-1 EPERM")
        #expect(denials.count { $0.isPath } == PathRules.mostPaths)
        #expect(denials.contains { $0.call == "unshare" && !$0.isPath })
    }

    /// A pointer into nowhere, and a path without an end, are the kernel's to answer.
    @Test func pointersThatLeadNowhereAreLeftToTheKernel() async throws {
        let script = """
            import ctypes, errno
            libc = ctypes.CDLL(None, use_errno=True)
            for path in [ctypes.c_void_p(1), ctypes.c_char_p(b"/" + b"x" * 100000), ctypes.c_char_p(b"")]:
                print(libc.syscall(21, path, 0), errno.errorcode[ctypes.get_errno()])
            """
        let (output, _, _) = try await run(["/usr/bin/python3", "-c", script], person: .ordinary)
        #expect(output == "-1 EFAULT\n-1 ENAMETOOLONG\n-1 ENOENT")
    }
}
