internal import Glibc
internal import Synchronization

/// `--exec`: a command outside any jail, in a process group of its own, with nothing open but 0 to 3.
final class SpawnedProgram: RunningProgram {
    private let pid: pid_t
    private let known = Mutex<ProgramEnd?>(nil)

    private init(pid: pid_t) { self.pid = pid }

    deinit { kill() }

    /// - Throws: `StartFailure` if the program does not exist or cannot be executed.
    static func start(_ command: [String]) throws(StartFailure) -> StartedProgram {
        guard let name = command.first else { throw StartFailure(description: "no command to run") }
        let descriptors = try PluginDescriptors()
        var pid: pid_t = 0
        let number = spawn(&pid, command, descriptors.plugin)
        guard number == 0 else {
            descriptors.closeAll()
            throw StartFailure(
                description: "\(name) could not be started: \(String(cString: strerror(number))); "
                    + "name a program that exists and is executable")
        }
        descriptors.closePluginEnds()
        return descriptors.started(SpawnedProgram(pid: pid))
    }

    private static func spawn(_ pid: inout pid_t, _ command: [String], _ ends: [Int32]) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // First out of the way of 0 to 3, which they may be themselves.
        let high: [Int32] = [103, 104, 105]
        for (end, target) in zip(ends, high) { posix_spawn_file_actions_adddup2(&actions, end, target) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (source, target) in zip(high, [3, 1, 2] as [Int32]) {
            posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        // Closing what is not open does no harm here.
        for descriptor in Int32(4)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        return posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, &environment)
    }

    /// No plugin may need a variable (ABI-2.4); an interpreter found by its name may.
    private static var variables: [String] {
        let names: [String] = ["PATH", "HOME"]
        return names.compactMap { (name: String) -> String? in
            guard let value = getenv(name) else { return nil }
            return name + "=" + String(cString: value)
        }
    }

    func end() -> ProgramEnd? {
        known.withLock { known in
            if known == nil { known = reap(WNOHANG) }
            return known
        }
    }

    func kill() {
        known.withLock { known in
            // The group first, while the leader's number cannot belong to anybody else.
            if known == nil {
                Glibc.kill(-pid, SIGKILL)
                known = reap(0)
            }
        }
    }

    private func reap(_ options: Int32) -> ProgramEnd? {
        // Seen, but not yet reaped: the group of what it left behind cannot belong to anybody else.
        var info = siginfo_t()
        var seen: Int32
        repeat { seen = waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | options) } while seen < 0 && errno == EINTR
        if seen == 0, info.si_signo == 0 { return nil }
        Glibc.kill(-pid, SIGKILL)
        var status: Int32 = 0
        var result: pid_t
        repeat { result = waitpid(pid, &status, 0) } while result < 0 && errno == EINTR
        guard result == pid else { return .lost }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }
}
