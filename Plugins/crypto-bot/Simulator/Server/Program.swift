import Glibc

/// Runs another program to its end.
enum Program {
    /// - Throws: `StartError` if it cannot be started or reports failure, with the end of what it had to say.
    static func run(_ words: [String], log: String) throws {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        // Standard output is for the one line that tells where the simulator listens.
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { unlink(log) }

        let name = words.prefix(2).joined(separator: " ")
        var process: pid_t = 0
        let problem = posix_spawnp(&process, words.first ?? "", &actions, nil, arguments, environ)
        guard problem == 0 else {
            throw StartError("cannot run \(name): \(Files.describe(problem)); install the package openssl")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1 {
            guard errno == EINTR else { throw StartError("cannot wait for \(name): \(Files.describe(errno))") }
        }
        guard status == 0 else {
            let words = String(decoding: (try? Files.read(log, limit: 1 << 20)) ?? [], as: UTF8.self)
            throw StartError("\(name) failed with wait status \(status): \(words.suffix(1_000))")
        }
    }
}
