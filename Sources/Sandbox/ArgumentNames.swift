import Glibc

/// Words for the arguments that decide about a call. Numbers that have no name here are shown as numbers.
enum ArgumentNames {
    /// Empty for calls whose name says it all.
    static func describe(_ call: String, _ arguments: [UInt64]) -> String {
        guard arguments.count == 6 else { return "" }
        // The kernel looks at 32 bits of all of these.
        let words = arguments.map { UInt32(truncatingIfNeeded: $0) }
        return switch call {
        case "socket": "\(name(words[0], families, "AF_")), \(socketType(words[1]))"
        case "setsockopt": socketOption(words[1], words[2])
        case "clone", "unshare": flags(words[0], namespaces)
        case "setns": flags(words[1], namespaces)
        case "ioctl": name(words[1], requests, "request ")
        case "prctl": name(words[0], options, "option ")
        case "ptrace":
            name(
                words[0], [0: "PTRACE_TRACEME", 16: "PTRACE_ATTACH", 0x4206: "PTRACE_SEIZE"], "request ")
        case "personality", "arch_prctl", "keyctl", "bpf", "process_madvise", "quotactl":
            hexadecimal(words[0])
        case "prlimit64", "process_vm_readv", "process_vm_writev":
            "process \(Int32(bitPattern: words[0]))"
        case "kcmp": "processes \(Int32(bitPattern: words[0])) and \(Int32(bitPattern: words[1]))"
        case "memfd_create", "userfaultfd", "execveat":
            "flags \(hexadecimal(words[call == "memfd_create" ? 1 : 0]))"
        case "mmap", "mprotect": "protection \(hexadecimal(words[2]))"
        default: ""
        }
    }

    private static func name(_ value: UInt32, _ names: [UInt32: String], _ prefix: String) -> String {
        names[value] ?? "\(prefix)\(value > 255 ? hexadecimal(value) : String(value))"
    }

    private static func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }

    private static func socketType(_ word: UInt32) -> String {
        let types: [UInt32: String] = [
            1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 5: "SOCK_SEQPACKET",
        ]
        // Above the type are SOCK_CLOEXEC and SOCK_NONBLOCK.
        return name(word & 0xF, types, "type ")
    }

    /// socket(7), tcp(7), ip(7): those that are refused and have a name that people look for.
    private static func socketOption(_ level: UInt32, _ option: UInt32) -> String {
        let levels: [UInt32: String] = [
            0: "IPPROTO_IP", 1: "SOL_SOCKET", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP", 41: "IPPROTO_IPV6",
            263: "SOL_PACKET",
        ]
        let options: [UInt32: String] = [
            12: "SO_PRIORITY", 25: "SO_BINDTODEVICE", 26: "SO_ATTACH_FILTER", 32: "SO_SNDBUFFORCE",
            33: "SO_RCVBUFFORCE", 36: "SO_MARK", 50: "SO_ATTACH_BPF", 51: "SO_ATTACH_REUSEPORT_CBPF",
            52: "SO_ATTACH_REUSEPORT_EBPF",
        ]
        return "\(name(level, levels, "level ")), \(name(option, level == 1 ? options : [:], "option "))"
    }

    private static func flags(_ word: UInt32, _ names: [(UInt32, String)]) -> String {
        let set = names.filter { word & $0.0 != 0 }.map(\.1)
        return set.isEmpty ? hexadecimal(word) : set.joined(separator: "|")
    }

    private static let namespaces: [(UInt32, String)] = [
        (0x1000_0000, "CLONE_NEWUSER"), (0x0002_0000, "CLONE_NEWNS"), (0x2000_0000, "CLONE_NEWPID"),
        (0x4000_0000, "CLONE_NEWNET"), (0x0800_0000, "CLONE_NEWIPC"), (0x0400_0000, "CLONE_NEWUTS"),
        (0x0200_0000, "CLONE_NEWCGROUP"), (0x0000_0080, "CLONE_NEWTIME"),
    ]

    /// socket(2); linux/socket.h.
    private static let families: [UInt32: String] = [
        0: "AF_UNSPEC", 1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 15: "AF_KEY", 16: "AF_NETLINK",
        17: "AF_PACKET",
        21: "AF_RDS", 29: "AF_CAN", 30: "AF_TIPC", 31: "AF_BLUETOOTH", 38: "AF_ALG", 39: "AF_NFC",
        40: "AF_VSOCK",
        41: "AF_KCM", 42: "AF_QIPCRTR", 43: "AF_SMC", 44: "AF_XDP", 45: "AF_MCTP",
    ]

    /// ioctl_tty(2).
    private static let requests: [UInt32: String] = [
        0x5402: "TCSETS", 0x5403: "TCSETSW", 0x540E: "TIOCSCTTY", 0x540F: "TIOCGPGRP",
        0x5410: "TIOCSPGRP",
        0x5412: "TIOCSTI", 0x5414: "TIOCSWINSZ", 0x541C: "TIOCLINUX", 0x5429: "TIOCGSID",
    ]

    /// prctl(2).
    private static let options: [UInt32: String] = [
        8: "PR_SET_KEEPCAPS", 22: "PR_SET_SECCOMP", 24: "PR_CAPBSET_DROP", 28: "PR_SET_SECUREBITS",
        35: "PR_SET_MM",
        36: "PR_SET_CHILD_SUBREAPER", 47: "PR_CAP_AMBIENT", 53: "PR_SET_SPECULATION_CTRL",
        62: "PR_SCHED_CORE",
        65: "PR_SET_MDWE", 0x5961_6D61: "PR_SET_PTRACER",
    ]
}
