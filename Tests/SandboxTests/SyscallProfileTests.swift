import CJail
import Testing

@testable import Sandbox

@Suite struct SyscallProfileTests {
    private static let dangerous = [
        "io_uring_setup", "ptrace", "bpf", "keyctl", "add_key", "request_key", "userfaultfd", "perf_event_open",
        "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "open_by_handle_at", "mount", "umount2",
        "move_mount", "open_tree", "fsopen", "mount_setattr", "pivot_root", "chroot", "unshare", "setns", "clone3",
        "memfd_create", "memfd_secret", "init_module", "kexec_load", "seccomp", "modify_ldt", "mbind", "vmsplice",
    ]

    @Test func everySyscallCarriesAReasonThatSaysSomething() throws {
        for name in try SyscallProfile.names() {
            let profile = try SyscallProfile.named(name)
            for rule in profile.allowed + profile.denied { #expect(rule.reason.count >= 4, "\(rule.name)") }
            #expect(Set(profile.denied.map(\.name)).count == profile.denied.count, "\(name): said twice")
        }
    }

    @Test func everyAllowedSyscallIsKnownToTheFilterCompiler() throws {
        for name in try SyscallProfile.names() {
            for rule in try SyscallProfile.named(name).allowed {
                #expect(cjail_syscall_number(rule.name) != -1, "\(rule.name)")
            }
        }
    }

    @Test func noProfileAllowsWhatEscapesAreMadeOf() throws {
        for name in try SyscallProfile.names() {
            let allowed = Set(try SyscallProfile.named(name).allowed.map(\.name))
            // Init lets go of the plugin's process, and can trace nothing.
            let excepted: Set = name == "init" ? ["ptrace"] : []
            #expect(allowed.subtracting(excepted).isDisjoint(with: Self.dangerous), "\(name)")
        }
    }

    @Test func initCanDetachFromTheProcessThatItWatchesAndTraceNoOther() throws {
        let rules = try SyscallProfile.named("init").allowed.filter { $0.name == "ptrace" }
        #expect(rules.map(\.condition) == [.init(argument: 0, mask: 0xFFFF_FFFF, values: [17 /* PTRACE_DETACH */])])
    }

    @Test func pluginsMayExecOnceAndOrdinaryProgramsAsOftenAsTheyLike() throws {
        for name in ["native", "strict", "strict-tcp", "python", "python-tcp"] {
            let rules = try SyscallProfile.named(name).allowed.filter { $0.name.hasPrefix("execve") }
            #expect(rules.map(\.name) == ["execveat"] && rules.allSatisfy { $0.once })
            #expect(try FilterCompiler.filter(profile: name).guardsExec)
        }
        #expect(try !FilterCompiler.filter(profile: "compat").guardsExec)
        #expect(try !FilterCompiler.filter(profile: "init").guardsExec)
    }

    @Test func socketIsRefusedToPluginsAndLocalForOrdinaryPrograms() throws {
        for name in ["native", "strict", "strict-tcp", "python", "python-tcp"] {
            #expect(try !SyscallProfile.named(name).allowed.contains { $0.name == "socket" })
            #expect(try SyscallProfile.named(name).denied.contains { $0.name == "socket" })
        }
        let rule = try #require(SyscallProfile.named("compat").allowed.first { $0.name == "socket" })
        #expect(rule.condition == .init(argument: 0, mask: 0xFFFF_FFFF, values: [1]))
    }

    @Test func ioctlNeverReachesTheTerminalsInput() throws {
        for name in try SyscallProfile.names() {
            for rule in try SyscallProfile.named(name).allowed where rule.name == "ioctl" {
                let condition = try #require(rule.condition)
                #expect(condition.mask == 0xFFFF_FFFF)
                #expect(Set(condition.values).isDisjoint(with: [0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */]))
            }
        }
    }

    @Test func cloneNeverTakesANamespaceFlag() throws {
        for name in try SyscallProfile.names() {
            for rule in try SyscallProfile.named(name).allowed where rule.name == "clone" {
                let condition = try #require(rule.condition)
                #expect(condition.mask & 0x7E02_0000 == 0x7E02_0000)
                #expect(condition.values.allSatisfy { $0 & 0x7E02_0000 == 0 })
            }
        }
    }

    /// A second reason would be shown or not as a table happens to be ordered.
    @Test func everyDeniedCallHasOneReason() throws {
        let names = try SyscallProfile.rules(ofSet: "denied").map(\.name)
        #expect(Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.isEmpty)
    }

    @Test func initNeedsFewerThanTwentyCalls() throws {
        #expect(try SyscallProfile.named("init").allowed.count < 20)
    }

    /// What no runtime asks for stays with ordinary programs: each is surface for nothing.
    @Test func pluginsDoNotHaveWhatNoRuntimeAsksFor() throws {
        let unused: Set = [
            "splice", "tee", "readahead", "sync_file_range", "mincore", "futimesat", "get_robust_list", "mlock",
        ]
        for name in ["native", "strict", "strict-tcp", "python", "python-tcp", "node"] {
            #expect(try unused.isDisjoint(with: SyscallProfile.named(name).allowed.map(\.name)), "\(name)")
        }
    }

    @Test func nodeCompilesAsItRunsAndNobodyElseDoes() {
        #expect(["native", "strict", "strict-tcp", "python", "python-tcp"].allSatisfy(SyscallProfile.refusesNewCode))
        #expect(!SyscallProfile.refusesNewCode("node") && !SyscallProfile.refusesNewCode("compat"))
    }

    @Test func anUnknownProfileIsRefusedWithTheNamesThatExist() {
        let error = #expect(throws: JailError.self) { try SyscallProfile.named("loose") }
        #expect(error?.message.contains("native, strict, python, strict-tcp, python-tcp, node, compat") == true)
    }
}
