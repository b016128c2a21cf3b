#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Forbidden system calls. Each is undone at once should it succeed.
enum KernelAttempts {
    static func all() -> [Attempt] {
        [
            readPasswords(), listHostDirectories(), openInternetSocket(), runShell(), writeOutsideTemporary(),
            environment(names: environmentNames()),
        ]
    }

    private static func readPasswords() -> Attempt {
        let name = "read /etc/passwd"
        let file = open("/etc/passwd", O_RDONLY | O_CLOEXEC)
        guard file < 0 else {
            close(file)
            return Attempt(name: name, outcome: .allowed, by: "nothing", detail: "open succeeded")
        }
        return denied(name, errno, "open", isPath: true)
    }

    /// The jail's own root may be listed; what must not show is the host's.
    private static func listHostDirectories() -> Attempt {
        let name = "list directories of the host"
        let wanted = ["/home", "/root", "/usr", "/var"]
        var refusal: Int32 = 0
        for path in wanted {
            if let directory = opendir(path) {
                closedir(directory)
                return Attempt(name: name, outcome: .allowed, by: "nothing", detail: "opendir \(path) succeeded")
            }
            refusal = errno
        }
        return denied(name, refusal, "opendir \(wanted.joined(separator: ", "))", isPath: true)
    }

    private static func openInternetSocket() -> Attempt {
        let name = "open an internet socket"
        let descriptor = socket(AF_INET, streamType, 0)
        guard descriptor < 0 else {
            close(descriptor)
            return Attempt(name: name, outcome: .allowed, by: "nothing", detail: "socket(AF_INET) succeeded")
        }
        return denied(name, errno, "socket(AF_INET)", isPath: false)
    }

    private static func runShell() -> Attempt {
        let name = "start /bin/sh"
        let text = ["/bin/sh", "-c", "exit 0"]
        let words: [UnsafeMutablePointer<CChar>?] = text.map { word in strdup(word) } + [nil]
        defer { words.forEach { free($0) } }
        var process = pid_t()
        let result = posix_spawn(&process, "/bin/sh", nil, nil, words, [nil])
        guard result != 0 else {
            var status: Int32 = 0
            waitpid(process, &status, 0)
            return Attempt(name: name, outcome: .allowed, by: "nothing", detail: "posix_spawn succeeded")
        }
        // ENOENT means that a process could be made and that there is no shell to run in it.
        return denied(name, result, "clone and execve of /bin/sh", isPath: false)
    }

    private static func writeOutsideTemporary() -> Attempt {
        let name = "write outside /tmp"
        let path = "/crypto-bot-selfcheck"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file < 0 else {
            close(file)
            unlink(path)
            return Attempt(name: name, outcome: .allowed, by: "nothing", detail: "open for writing succeeded")
        }
        return denied(name, errno, "open \(path) for writing", isPath: true)
    }

    /// Names are shown, values never.
    static func environment(names: [String]) -> Attempt {
        let suspects = names.filter { name in
            ["KEY", "SECRET", "TOKEN", "PASS", "CREDENTIAL"].contains { name.uppercased().contains($0) }
        }
        let name = "find secrets in the environment"
        guard suspects.isEmpty else {
            return Attempt(
                name: name, outcome: .allowed, by: "nothing",
                detail: "variables that look like secrets: \(suspects.joined(separator: ", "))")
        }
        let detail = names.isEmpty ? "the environment is empty" : "only \(names.joined(separator: ", "))"
        return Attempt(name: name, outcome: .denied, by: "clean environment", detail: detail)
    }

    private static func environmentNames() -> [String] {
        var names: [String] = []
        var next = environ
        while let entry = next.pointee {
            names.append(String(cString: entry).split(separator: "=", maxSplits: 1).first.map(String.init) ?? "")
            next += 1
        }
        return names
    }

    private static func denied(_ name: String, _ errno: Int32, _ call: String, isPath: Bool) -> Attempt {
        let denial = Denial(errno: errno, call: call, isPath: isPath)
        return Attempt(name: name, outcome: .denied, by: denial.layer, detail: denial.detail)
    }

    #if canImport(Glibc)
        private static let streamType = Int32(SOCK_STREAM.rawValue)
    #else
        private static let streamType = SOCK_STREAM
    #endif
}
