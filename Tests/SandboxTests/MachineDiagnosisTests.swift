import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Machines that people have reported trouble with, as the texts that they show.
@Suite struct MachineDiagnosisTests {
    private static var good: MachineFacts {
        var facts = MachineFacts()
        facts.release = "6.18.44"
        facts.user = 1000
        facts.landlock = 7
        facts.maxUserNamespaces = "63000"
        facts.status = "Name:\tnexus\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n"
        facts.mounts = "22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n"
        return facts
    }

    private func layer(_ name: String, _ change: (inout MachineFacts) -> Void) throws -> KernelLayer {
        var facts = Self.good
        change(&facts)
        let layers = MachineDiagnosis(facts: facts).layers()
        return try #require(layers.first { $0.name == name })
    }

    /// Docker's default: the filter refuses the namespaces, /proc is masked in seven places and read-only in more.
    private static func docker(_ facts: inout MachineFacts) {
        facts.user = 0
        facts.namespaces = EPERM
        facts.procMount = EPERM
        facts.marks = ["/.dockerenv"]
        facts.label = "docker-default (enforce)"
        facts.status = "Name:\tnexus\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n"
        facts.mounts = """
            612 480 0:54 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
            501 612 0:54 /bus /proc/bus ro,nosuid,nodev,noexec,relatime - proc proc rw
            507 612 0:55 / /proc/kcore rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755

            """
    }

    @Test func aGoodMachineHasEveryLayerAndNothingToDo() {
        let support = KernelSupport(
            landlockABI: 7, layers: MachineDiagnosis(facts: Self.good).layers())
        #expect(support.meetsStrict)
        #expect(support.layers.allSatisfy { $0.state == .available && $0.remedy.isEmpty && !$0.evidence.isEmpty })
        #expect(
            support.layers.map(\.name) == [
                "kernel", "namespaces", "proc", "seccomp", "landlock", "mounts", "no-new-code",
            ])
    }

    @Test func ubuntusRestrictionIsRecognisedThoughNamespacesCanBeMade() throws {
        let found = try layer("namespaces") {
            $0.apparmorRestriction = "1"
            $0.procMount = EACCES
            $0.label = "unconfined"
        }
        #expect(found.state == .refused && found.required)
        #expect(found.evidence.contains("apparmor_restrict_unprivileged_userns=1") && found.evidence.contains("EACCES"))
        #expect(found.remedy.contains("packaging/apparmor/nexus-jail"))
        // A profile that gives the right back: nothing is refused any more.
        #expect(try layer("namespaces") { $0.apparmorRestriction = "1" }.state == .available)
        // The restriction is on unprivileged users.
        let root = try layer("proc") {
            $0.apparmorRestriction = "1"
            $0.user = 0
        }
        #expect(root.state == .available)
    }

    @Test func dockersDefaultFilterIsRecognised() throws {
        let found = try layer("namespaces", Self.docker)
        #expect(found.state == .refused && found.evidence.hasPrefix("EPERM"))
        #expect(found.evidence.contains("in Docker") && found.evidence.contains("docker-default"))
        #expect(found.remedy.contains("--security-opt seccomp="))
        #expect(try layer("proc", Self.docker).remedy == "see namespaces")
    }

    @Test func kubernetesIsToldByItsSecretsOrItsCgroups() throws {
        for mark in [true, false] {
            let found = try layer("namespaces") {
                Self.docker(&$0)
                $0.marks = mark ? ["/var/run/secrets/kubernetes.io"] : []
                $0.initCgroup = mark ? nil : "11:memory:/kubepods/burstable/pod1/abc\n"
            }
            #expect(found.evidence.contains("in Kubernetes") && found.remedy.contains("seccompProfile"))
        }
    }

    @Test func maskedProcIsTooRevealingForANewOne() throws {
        let docker = try layer("proc") {
            Self.docker(&$0)
            $0.namespaces = 0
        }
        #expect(docker.state == .refused && docker.evidence.contains("2 places of /proc are masked (/proc/bus)"))
        #expect(docker.remedy.contains("systempaths=unconfined"))
        let pod = try layer("proc") {
            Self.docker(&$0)
            $0.namespaces = 0
            $0.marks = ["/var/run/secrets/kubernetes.io"]
        }
        #expect(pod.remedy.contains("procMount: Unmasked"))
    }

    @Test func namespacesThatAreUsedUpOrSwitchedOffSayWhichSetting() throws {
        let none = try layer("namespaces") {
            $0.namespaces = ENOSPC
            $0.maxUserNamespaces = "0"
        }
        #expect(none.evidence.contains("user.max_user_namespaces=0") && none.remedy.contains("sysctl -w user.max_user"))
        let debian = try layer("namespaces") {
            $0.namespaces = EPERM
            $0.unprivilegedClone = "0"
        }
        #expect(debian.remedy == "sysctl -w kernel.unprivileged_userns_clone=1")
        let service = try layer("namespaces") {
            $0.namespaces = EPERM
            $0.status = "Seccomp:\t2\n"
        }
        #expect(service.remedy.contains("SystemCallFilter="))
        #expect(try layer("namespaces") { $0.namespaces = EINVAL }.remedy.contains("built without"))
        #expect(try layer("namespaces") { $0.namespaces = EPERM }.remedy.contains("journalctl"))
    }

    @Test func landlockIsMissingSwitchedOffOrForbidden() throws {
        let missing = try layer("landlock") { $0.landlock = -ENOSYS }
        #expect(missing.state == .unavailable && missing.remedy.contains("5.13"))
        let off = try layer("landlock") {
            $0.landlock = -EOPNOTSUPP
            $0.securityModules = "lockdown,capability,yama,apparmor"
        }
        #expect(off.state == .unavailable && off.remedy.contains("lsm=") && off.remedy.contains("yama"))
        let forbidden = try layer("landlock") { $0.landlock = -EPERM }
        #expect(forbidden.state == .refused && forbidden.remedy.contains("filter"))
        let partial = try layer("landlock") { $0.landlock = 2 }
        #expect(partial.state == .available && partial.remedy.contains("ABI 6"))
    }

    @Test func oldKernelsAreTooOldAndSayHowNewIsNewEnough() throws {
        for release in ["4.18.0-553.el8", "5.10.0-28-amd64", "5.4"] {
            #expect(try layer("kernel") { $0.release = release }.state == .unavailable)
        }
        for release in ["5.13.0", "6.1.0-13-amd64", "10.0-rc1"] {
            #expect(try layer("kernel") { $0.release = release }.state == .available)
        }
        #expect(try layer("mounts") { $0.mountSetattr = ENOSYS }.remedy.contains("5.12"))
        let code = try layer("no-new-code") { $0.noNewCode = EINVAL }
        #expect(!code.required && code.state == .unavailable && code.remedy.contains("6.3"))
    }

    /// The profile that the remedy names: it may do one thing, and confines nothing.
    @Test func theProfileForAppArmorGivesNamespacesBackAndNothingElse() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appendingPathComponent("packaging/apparmor/nexus-jail")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.hasPrefix("#") && !$0.isEmpty }
        #expect(lines.first == "abi <abi/4.0>,")
        let head = try #require(lines.first { $0.hasPrefix("profile nexus-jail /") })
        #expect(head.hasSuffix("/nexus-jail flags=(unconfined) {"))
        let body = lines.drop { $0 != head }.dropFirst()
        #expect(Array(body) == ["userns,", "include if exists <local/nexus-jail>", "}"])
    }

    /// By the parser, without loading it. One before 4.0 does not know the rights that this is about: it gets the rest.
    @Test func theProfileForAppArmorIsRead() throws {
        let text = try Programs.source("packaging/apparmor/nexus-jail")
        let whole = try parse(text)
        let isOld = whole.said.contains("abi/4.0") || whole.said.contains("userns")
        #expect(whole.status == 0 || isOld, "\(whole.said)")
        let rest = text.replacing("abi <abi/4.0>,\n", with: "").replacing("  userns,\n", with: "")
        let parsed = try parse(rest)
        #expect(rest != text && parsed.status == 0, "\(parsed.said)")
        #expect(try parse(rest.replacing("flags=(unconfined)", with: "flags=(unconfine)")).status != 0)
        #expect(try parse(rest.replacing("include if", with: "included if")).status != 0)
    }

    private func parse(_ profile: String) throws -> (status: Int32, said: String) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("nexus-apparmor-\(UUID().uuidString)")
        try Data(profile.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/sbin/apparmor_parser")
        process.arguments = ["--skip-kernel-load", "--skip-cache", file.path]
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, said)
    }

    @Test func everythingThatIsMissingHasARemedy() {
        let changes: [(inout MachineFacts) -> Void] = [
            Self.docker, { $0.namespaces = EPERM }, { $0.procMount = EPERM }, { $0.seccomp = EINVAL },
            { $0.landlock = -ENOSYS }, { $0.mountSetattr = ENOSYS }, { $0.noNewCode = EINVAL }, { $0.release = "4.4" },
        ]
        for change in changes {
            var facts = Self.good
            change(&facts)
            let layers = MachineDiagnosis(facts: facts).layers()
            #expect(layers.contains { $0.state != .available })
            for layer in layers where layer.state != .available { #expect(!layer.remedy.isEmpty, "\(layer)") }
        }
    }
}
