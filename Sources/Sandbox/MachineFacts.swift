// What this machine says about itself, before anybody draws conclusions: answers of the kernel to attempts, and texts.
// MachineDiagnosis concludes; so every kind of machine that is known to make trouble can be a test.
import CJail
import Glibc

/// Raw findings. A text is nil where its file does not exist or cannot be read; an answer is 0 where the attempt
/// worked, else the errno.
struct MachineFacts: Sendable, Equatable {
    /// uname(2), for example `6.1.0-13-amd64`.
    var release = ""
    /// Who asks: 0 for root.
    var user: UInt32 = 0

    // Attempts.
    /// clone(2) with the six namespaces of a jail.
    var namespaces: Int32 = 0
    /// A new procfs in such namespaces.
    var procMount: Int32 = 0
    var seccomp: Int32 = 0
    var mountSetattr: Int32 = 0
    var noNewCode: Int32 = 0
    /// Above 0 the ABI, below 0 a negative errno.
    var landlock: Int32 = 0

    // Texts.
    /// `user.max_user_namespaces`
    var maxUserNamespaces: String?
    /// `kernel.apparmor_restrict_unprivileged_userns`, Ubuntu's since 23.10.
    var apparmorRestriction: String?
    /// `kernel.unprivileged_userns_clone`, Debian's and Arch's.
    var unprivilegedClone: String?
    /// `/sys/kernel/security/lsm`
    var securityModules: String?
    /// `/proc/self/status`
    var status: String?
    /// `/proc/self/attr/current`: the AppArmor or SELinux label of this process.
    var label: String?
    /// `/proc/self/mountinfo`
    var mounts: String?
    /// `/proc/1/cgroup` names the container's manager on cgroup v1; `/.dockerenv` and others are marks of one.
    var initCgroup: String?
    var marks: Set<String> = []

    static let containerMarks = [
        "/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io", "/run/systemd/container",
    ]

    /// Asks the kernel. Creates two short-lived children in new namespaces; takes a few milliseconds.
    static func ofThisMachine() -> MachineFacts {
        var name = utsname()
        uname(&name)
        var facts = MachineFacts()
        facts.release = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        facts.user = geteuid()
        facts.namespaces = errorNumber(cjail_user_namespace_works())
        facts.procMount = errorNumber(cjail_proc_mount_works())
        facts.seccomp = errorNumber(cjail_seccomp_available())
        facts.mountSetattr = errorNumber(cjail_mount_setattr_exists())
        facts.noNewCode = errorNumber(cjail_no_new_code_known())
        facts.landlock = cjail_landlock_abi()
        facts.readTexts()
        return facts
    }

    mutating func readTexts() {
        let trimmed = { (path: String) in KernelText.read(path).map { String($0.trimmingSuffix(while: \.isNewline)) } }
        maxUserNamespaces = trimmed("/proc/sys/user/max_user_namespaces")
        apparmorRestriction = trimmed("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
        unprivilegedClone = trimmed("/proc/sys/kernel/unprivileged_userns_clone")
        securityModules = trimmed("/sys/kernel/security/lsm")
        status = KernelText.read("/proc/self/status")
        label = trimmed("/proc/self/attr/current")
        mounts = KernelText.read("/proc/self/mountinfo")
        initCgroup = KernelText.read("/proc/1/cgroup")
        marks = Set(Self.containerMarks.filter { access($0, F_OK) == 0 })
    }

    private static func errorNumber(_ answer: Int32) -> Int32 { answer < 0 ? -answer : 0 }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isOut: (Character) -> Bool) -> SubSequence {
        var end = endIndex
        while end > startIndex, isOut(self[index(before: end)]) { end = index(before: end) }
        return self[..<end]
    }
}
