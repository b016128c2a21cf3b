#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Reads a refusal of the kernel: which layer of the jail answers with which errno.
struct Denial: Sendable, Equatable {
    var layer: String
    var detail: String

    /// - Parameters:
    ///   - errno: What the call left behind (errno(3)).
    ///   - call: The system call and its argument, for the reader.
    ///   - isPath: True for a call that looks up a path. There a permission error is not the system call filter's,
    ///     which sees pointers and not paths.
    init(errno: Int32, call: String, isPath: Bool) {
        let (name, meaning) = Self.names[errno] ?? ("errno \(errno)", "refused")
        layer =
            switch errno {
            case ENOENT, ENOTDIR: "mount namespace"
            case EROFS: "read-only root"
            case EACCES where isPath: "file permissions or Landlock"
            case EPERM where isPath: "file permissions or Landlock"
            case EPERM, EACCES, ENOSYS: "seccomp"
            case EAFNOSUPPORT, EPROTONOSUPPORT: "seccomp or a kernel without the protocol"
            case EAGAIN, ENOMEM, EMFILE, ENFILE: "resource limits"
            default: "the kernel"
            }
        detail = "\(call): \(name), \(meaning)"
    }

    private static let names: [Int32: (name: String, meaning: String)] = [
        ENOENT: ("ENOENT", "there is no such file here"), ENOTDIR: ("ENOTDIR", "there is no such directory here"),
        EROFS: ("EROFS", "the file system is read-only"), EACCES: ("EACCES", "permission denied"),
        EPERM: ("EPERM", "operation not permitted"), ENOSYS: ("ENOSYS", "the system call is not there"),
        EAFNOSUPPORT: ("EAFNOSUPPORT", "address family not supported"),
        EPROTONOSUPPORT: ("EPROTONOSUPPORT", "protocol not supported"), EAGAIN: ("EAGAIN", "no more processes allowed"),
        ENOMEM: ("ENOMEM", "no more memory allowed"), EMFILE: ("EMFILE", "no more open files allowed"),
        ENFILE: ("ENFILE", "no more open files on this machine"),
    ]
}
