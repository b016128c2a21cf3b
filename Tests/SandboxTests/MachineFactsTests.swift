import CJail
import Glibc
import Testing

@testable import Sandbox

@Suite struct MachineFactsTests {
    @Test func thisMachineAnswersEveryQuestion() {
        let facts = MachineFacts.ofThisMachine()
        #expect(facts.user == geteuid() && facts.release.contains("."))
        #expect(facts.status?.contains("Seccomp:") == true && facts.mounts?.contains(" /proc ") == true)
        #expect(facts.namespaces == 0 && facts.procMount == 0 && facts.seccomp == 0 && facts.landlock > 0)
        #expect(facts.maxUserNamespaces.flatMap { Int($0) } != nil, "the line break belongs to the file")
    }

    /// The attempt must be able to fail, or it would find every machine good: without namespaces it does.
    @Test func noProcMountsWhereNamespacesAreUsedUp() throws {
        let path = "/proc/sys/user/max_user_namespaces"
        let (output, status) = try Person.ordinary.outside([
            "/usr/bin/unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c",
            "echo 0 >\(path) && cat \(path) && ! unshare --user --mount --pid --fork --mount-proc true 2>/dev/null",
        ])
        #expect(status == 0 && output == "0", "\(output)")
    }
}
