// From findings to layers, each with its evidence and what to do: a pure function of MachineFacts. The troubles that
// are recognised are those that people of other sandboxes reported most.
import Glibc

struct MachineDiagnosis: Sendable {
    let facts: MachineFacts

    /// The layers in the order in which a jail needs them, and after them those that are found elsewhere.
    func layers(and others: [KernelLayer] = []) -> [KernelLayer] {
        [kernel, namespaces, proc, seccomp, landlock, mountCalls, noNewCode] + others
    }

    // MARK: Surroundings

    /// Docker, Podman, Kubernetes or another container, as far as it can be told; nil outside.
    var container: String? {
        let cgroup = facts.initCgroup ?? ""
        if facts.marks.contains("/var/run/secrets/kubernetes.io") || cgroup.contains("kubepods") { return "Kubernetes" }
        if facts.marks.contains("/.dockerenv") || cgroup.contains("/docker/") { return "Docker" }
        if facts.marks.contains("/run/.containerenv") { return "Podman" }
        return facts.marks.contains("/run/systemd/container") ? "a container" : nil
    }

    /// Somebody's seccomp filter is over this process already.
    private var isFiltered: Bool { field("Seccomp") == "2" }

    private func field(_ name: String) -> String? {
        facts.status?.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            .map { $0.dropFirst(name.count + 1).filter { !$0.isWhitespace } }
    }

    private var apparmorRestricts: Bool { facts.apparmorRestriction == "1" && facts.user != 0 }

    /// Places below /proc that are mounted over: with any of them the kernel refuses a fresh procfs.
    private var masks: [String] {
        (facts.mounts ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[4].hasPrefix("/proc/") else { return nil }
            return String(fields[4])
        }
    }

    // MARK: Layers

    private var kernel: KernelLayer {
        let parts = facts.release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isKnown = parts.count == 2
        let isOld = isKnown && (parts[0], parts[1]) < (5, 13)
        return layer(
            "kernel", required: true, isOld ? .unavailable : .available,
            "Linux \(facts.release.isEmpty ? "of unknown release" : facts.release)",
            isOld ? "use Linux 5.13 or later; all layers are there from 6.12 on" : "")
    }

    private var namespaces: KernelLayer {
        // Ubuntu's restriction lets them be made, and takes every capability away in them.
        let isHollow = facts.namespaces == 0 && facts.procMount != 0 && apparmorRestricts
        guard facts.namespaces != 0 || isHollow else {
            return layer("namespaces", required: true, .available, "clone into six namespaces works", "")
        }
        let evidence =
            isHollow
            ? "namespaces can be made, but \(ErrnoName.describe(facts.procMount)) on the first mount in them"
            : ErrnoName.describe(facts.namespaces)
        return layer("namespaces", required: true, .refused, evidence + settings, namespaceRemedy(facts.namespaces))
    }

    /// What speaks for the remedy: the settings that are in the way.
    private var settings: String {
        var found: [String] = []
        if facts.maxUserNamespaces == "0" { found.append("user.max_user_namespaces=0") }
        if apparmorRestricts { found.append("kernel.apparmor_restrict_unprivileged_userns=1") }
        if facts.unprivilegedClone == "0" { found.append("kernel.unprivileged_userns_clone=0") }
        if let container { found.append("in \(container)") }
        if isFiltered { found.append("a seccomp filter is in force") }
        if let label = facts.label, label.hasSuffix("(enforce)") { found.append("AppArmor profile \(label)") }
        return found.isEmpty ? "" : "; \(found.joined(separator: ", "))"
    }

    /// What to do when clone(2) answered `number`, or when the namespaces are of no use.
    func namespaceRemedy(_ number: Int32) -> String {
        if facts.maxUserNamespaces == "0" || number == ENOSPC {
            return "raise the number: sysctl -w user.max_user_namespaces=15000"
        }
        if number == EINVAL { return "the kernel is built without user or network namespaces: use a distribution's" }
        if apparmorRestricts {
            return "AppArmor takes rights away in user namespaces: install packaging/apparmor/nexus-jail with the "
                + "path of nexus-jail in it, then apparmor_parser -r /etc/apparmor.d/nexus-jail"
        }
        if facts.unprivilegedClone == "0", facts.user != 0 { return "sysctl -w kernel.unprivileged_userns_clone=1" }
        switch container {
        case "Kubernetes"?:
            return "the pod's seccomp profile forbids user namespaces: set securityContext.seccompProfile to a "
                + "Localhost profile that allows clone, unshare, mount, pivot_root and the new mount calls, or run "
                + "nexusd on the node"
        case let container?:
            return "the seccomp profile of \(container) forbids user namespaces: run the container with --security-opt "
                + "seccomp=FILE (a profile that allows clone, unshare, mount, pivot_root and the new mount calls) "
                + "and --security-opt systempaths=unconfined, or run nexusd outside"
        case nil where isFiltered: return "a seccomp filter over nexusd forbids it: see the service's SystemCallFilter="
        case nil: return "see which security module refuses user namespaces: journalctl -k"
        }
    }

    private var proc: KernelLayer {
        guard facts.procMount != 0, facts.namespaces == 0, !apparmorRestricts else {
            let works = facts.procMount == 0
            return layer(
                "proc", required: true, works ? .available : .refused,
                works ? "a new procfs can be mounted" : "not tried: there are no usable namespaces",
                works ? "" : "see namespaces")
        }
        guard facts.procMount == EPERM, let first = masks.first else {
            return layer(
                "proc", required: true, .refused, ErrnoName.describe(facts.procMount) + settings,
                namespaceRemedy(facts.procMount))
        }
        let remedy =
            container == "Kubernetes"
            ? "set procMount: Unmasked in the container's securityContext (with hostUsers: false in the pod)"
            : "run the container with --security-opt systempaths=unconfined, or nexusd outside"
        return layer(
            "proc", required: true, .refused,
            "EPERM: \(masks.count) places of /proc are masked (\(first)), so that a new one would reveal too much",
            remedy)
    }

    private var seccomp: KernelLayer {
        let works = facts.seccomp == 0
        return layer(
            "seccomp", required: true, works ? .available : .unavailable,
            works ? "SECCOMP_RET_KILL_PROCESS is known" : ErrnoName.describe(facts.seccomp),
            works ? "" : "use a kernel with CONFIG_SECCOMP_FILTER")
    }

    private var landlock: KernelLayer {
        if facts.landlock > 0 {
            let isPartial = facts.landlock < 6
            return layer(
                "landlock", required: true, .available, "ABI \(facts.landlock)",
                isPartial ? "complete from ABI 6 on (Linux 6.12): TCP, signals and abstract sockets count as well" : "")
        }
        let remedy =
            switch -facts.landlock {
            case EOPNOTSUPP:
                "Landlock is built in and not switched on: add landlock to lsm= on the kernel's command line"
                    + (facts.securityModules.map { " (now \($0))" } ?? "")
            case EPERM: "a seccomp filter forbids landlock_create_ruleset: allow the three landlock calls in it"
            default: "use Linux 5.13 or later, with landlock in the kernel's lsm= list"
            }
        return layer(
            "landlock", required: true, -facts.landlock == EPERM ? .refused : .unavailable,
            ErrnoName.describe(-facts.landlock), remedy)
    }

    private var mountCalls: KernelLayer {
        let works = facts.mountSetattr == 0
        return layer(
            "mounts", required: true, works ? .available : .unavailable,
            works ? "mount_setattr exists" : ErrnoName.describe(facts.mountSetattr),
            works ? "" : "use Linux 5.12 or later" + (isFiltered ? ", or a seccomp filter that knows its calls" : ""))
    }

    private var noNewCode: KernelLayer {
        let works = facts.noNewCode == 0
        return layer(
            "no-new-code", required: false, works ? .available : .unavailable,
            works ? "PR_SET_MDWE exists" : ErrnoName.describe(facts.noNewCode),
            works ? "" : "from Linux 6.3 on; before, a plugin can execute what it wrote to memory")
    }

    private func layer(
        _ name: String, required: Bool, _ state: KernelLayer.State, _ evidence: String, _ remedy: String
    ) -> KernelLayer {
        KernelLayer(name: name, required: required, state: state, evidence: evidence, remedy: remedy)
    }
}
