import CJail
import Testing

@testable import Sandbox

@Suite struct JailCompilerTests {
    private static let root = JailHost(privileged: true, outerUser: 2_000_000_007, outerGroup: 2_000_000_007)
    private static let user = JailHost(privileged: false, outerUser: 1001, outerGroup: 1001)
    private static let policy = JailPolicy(
        name: "echo", program: .sealed, arguments: ["echo"], environment: ["B": "2", "A": "1"],
        mounts: [
            JailMount(source: "/opt/data", destination: "/srv/data"),
            JailMount(source: "/opt/out", destination: "/out", weakening: .writableMount),
        ], links: [JailLink(path: "/data", target: "srv/data")])

    private func lines(_ policy: JailPolicy, _ host: JailHost = user, abi: Int = 7) throws -> [String] {
        try JailCompiler.compile(policy, host: host, kernel: KernelSupport(landlockABI: abi))
            .description.split(separator: "\n").map(String.init)
    }

    @Test func layersComeInTheOrderInWhichEachStillCanBeApplied() throws {
        let layers = try lines(Self.policy).filter { $0.hasPrefix("layer ") }
            .map { String($0.dropFirst(6).prefix { $0 != ":" }) }
        #expect(
            layers == [
                "namespaces", "mount-sources", "no-memfd-programs", "identity", "no-user-namespaces", "files", "proc",
                "pivot-root", "keyring", "limits", "no-new-privileges", "capabilities", "speculation", "no-new-code",
                "landlock", "init", "core-scheduling", "session", "descriptors", "verify", "seccomp", "exec",
            ])
    }

    @Test func wholeJailIsBoundedFirstAndByWhatTheLauncherHas() throws {
        var policy = Self.policy
        policy.limits.cpuPercent = 20
        var host = Self.root
        #expect(try !lines(policy, host).contains { $0.contains("cgroup-limit") })
        #expect(try lines(policy, host).contains("  limit 9 \(512 << 20)"))
        host.bounds = CgroupBounds(versions: [.memory: .v1, .pids: .v1])
        #expect(try lines(policy, host).contains("  limit 9 \(UInt64.max)"), "addresses are not memory")
        host.bounds.versions[.cpu] = .v2
        #expect(
            try Array(lines(policy, host).prefix(9)) == [
                "layer cgroup: entered, with its limits set",
                "  cgroup-limit 0 memory.limit_in_bytes 536870912",
                "  cgroup-limit 0 memory.memsw.limit_in_bytes 536870912 (optional)",
                "  cgroup-limit 0 memory.swappiness 0 (optional)",
                "  cgroup-limit 1 pids.max 65",
                "  cgroup-limit 3 cpu.max 20000 100000",
                "  cgroup",
                "layer namespaces: user mount pid network ipc uts cgroup",
                "  cgroup-namespace",
            ])
    }

    @Test func filesAreBuiltFromThePolicyAndNothingElse() throws {
        let all = try lines(Self.policy)
        let first = try #require(all.firstIndex { $0.hasPrefix("layer files") })
        let last = try #require(all.firstIndex { $0.hasPrefix("layer keyring") })
        #expect(
            Array(all[first..<last]) == [
                "layer files: tmpfs root, 2 mounts, private /tmp, five devices",
                "  root-tmpfs 1048576 1024",
                "  make-directory 493 /srv",
                "  bind 0 7 /srv/data",  // read-only, nosuid, nodev
                "  bind 1 14 /out",  // writable: nosuid, nodev, noexec
                "  make-link srv/data /data",
                "  make-directory 493 /tmp",
                "  mount-tmpfs 67108864 8192 448 14 /tmp",
                "  make-directory 493 /dev",
                "  bind 2 11 /dev/null", "  bind 3 11 /dev/zero", "  bind 4 11 /dev/full",
                "  bind 5 11 /dev/random", "  bind 6 11 /dev/urandom",
                "  make-link /proc/self/fd /dev/fd",
                "layer proc: own processes only",
                "  make-directory 365 /proc",
                "  mount-proc /proc",
                "layer pivot-root: old root detached, new root read-only",
                "  pivot",
                "  read-only-root",
            ])
    }

    @Test func temporaryDirectoriesComeBeforeWhatIsMountedInThemAndAfterWhatTheyAreIn() throws {
        var policy = Self.policy
        policy.temporary = ["/srv/data/cache": 1 << 20, "/own": 2 << 20, "/out/x/y": 4096]
        let all = try lines(policy)
        let places = ["/own", "/srv/data", "/srv/data/cache", "/out", "/out/x/y"].map { place in
            all.firstIndex { $0.hasSuffix(" \(place)") && ($0.contains("bind") || $0.contains("mount-tmpfs")) }
        }
        let indices = places.compactMap { $0 }
        #expect(indices.count == 5 && indices[0] < indices[1] && indices[1] < indices[2] && indices[3] < indices[4])
        #expect(all.contains("  mount-tmpfs 2097152 8192 448 14 /own"))
        #expect(all.contains { $0.hasPrefix("  landlock-allow") && $0.hasSuffix(" /srv/data/cache") })
    }

    @Test func scriptIsAReadOnlyFileOfTheRootThatOnlyMayBeRead() throws {
        var policy = Self.policy
        policy.program = .script(interpreter: "/srv/data/run", script: "/opt/plugin.pyz")
        let all = try lines(policy)
        #expect(all.contains("  root-tmpfs \(33 << 20) 1024"))
        let place = try #require(all.firstIndex(of: "  place-sealed /opt/plugin.pyz"))
        let readOnly = try #require(all.firstIndex(of: "  read-only-root"))
        #expect(place < readOnly && all[place - 1] == "  make-directory 493 /opt")
        #expect(all.contains("  landlock-allow 4 /opt/plugin.pyz"))
        #expect(all.last == "  execute /srv/data/run")
    }

    @Test func theFilterIsTheLastThingBeforeExec() throws {
        let all = try lines(Self.policy)
        #expect(all.suffix(3).first == "  filter filter of profile strict, with a listener")
        #expect(all.last == "  execute sealed")
    }

    @Test func onlyRootClearsGroupsAndTakesAKeyringForEachJail() throws {
        #expect(try lines(Self.policy, Self.root).contains("  set-ids 1"))
        #expect(try lines(Self.policy, Self.root).contains("  fresh-keyring"))
        #expect(try lines(Self.policy, Self.user).contains("  set-ids 0"))
        #expect(try !lines(Self.policy, Self.user).contains("  fresh-keyring"))
    }

    @Test func landlockAsksForEveryRightOfTheAbiAndNoMore() throws {
        let expected = [1: "8191 0 0", 2: "16383 0 0", 3: "32767 0 0", 4: "32767 3 0", 5: "65535 3 0", 6: "65535 3 3"]
        for (abi, numbers) in expected {
            #expect(try lines(Self.policy, abi: abi).contains("  landlock \(numbers)"))
        }
    }

    /// The next bit of each kind is one that this kernel does not know; with ours it makes a ruleset.
    @Test func everyLandlockRightThatTheRunningKernelKnowsIsHandled() {
        let abi = Int(cjail_landlock_abi())
        let (files, network, scopes) = LandlockRules.handled(abi: abi)
        #expect(cjail_landlock_accepts(files, network, scopes) == 1)
        #expect(cjail_landlock_accepts(files + 1 << (64 - UInt64(files.leadingZeroBitCount)), network, scopes) < 0)
        #expect(cjail_landlock_accepts(files, network << 1 | 1, scopes) < 0)
        #expect(cjail_landlock_accepts(files, network, scopes << 1 | 1) < 0)
    }

    @Test func refusalsOfLandlockAreLoggedWhereTheKernelCan() throws {
        #expect(try lines(Self.policy, abi: 7).contains("  landlock-enforce 6"))
        #expect(try lines(Self.policy, abi: 6).contains("  landlock-enforce 0"))
    }

    @Test func strictNeedsLandlockAndCompatDoesNot() throws {
        let refusal = #expect(throws: JailError.self) { try lines(Self.policy, abi: 0) }
        #expect(refusal?.layer == "landlock")
        var compat = Self.policy
        compat.profile = "compat"
        #expect(try !lines(compat, abi: 0).contains { $0.contains("landlock") })
    }

    @Test func programsWithoutASlashAreLookedUpInThePolicysPath() {
        var policy = Self.policy
        policy.program = .path("tool")
        policy.environment = ["PATH": "/a:/b"]
        #expect(JailCompiler.programPaths(policy) == ["/a/tool", "/b/tool"])
    }

    @Test func compilingTheSamePolicyTwiceGivesTheSamePlan() throws {
        let kernel = KernelSupport(landlockABI: 7)
        let first = try JailCompiler.compile(Self.policy, host: Self.root, kernel: kernel)
        let second = try JailCompiler.compile(Self.policy, host: Self.root, kernel: kernel)
        #expect(first == second)
    }
}
