import CJail
import Glibc

/// posix_spawn(3) of nexus-jail: no environment, /dev/null thrice, the control socket on 3 and nothing else.
enum LauncherProcess {
    private static let greetingMilliseconds: Int32 = 5000
    /// Who nexus-jail runs as.
    struct Identity: Sendable, Equatable { var pid: Int32, user: UInt32, group: UInt32 }

    /// Runs on the monitor's thread. Closes `control` at once, so that a helper that ends early is noticed early.
    static func start(
        helper: String, arguments: [String], control: Int32, greeting: Int32
    ) -> Result<
        Identity, JailError
    > {
        var pid: Int32 = 0
        let failure = spawn(&pid, helper, arguments, control)
        close(control)
        guard failure == 0 else {
            return .failure(
                JailError(
                    .launcher,
                    "nexus-jail at \(helper) could not be started: \(ErrnoName.describe(failure)); build it "
                        + "with make build, or name it with NEXUS_JAIL", errno: failure))
        }
        switch greet(greeting, helper) {
        case .success(let hello):
            let (user, group) = (UInt32(bitPattern: hello.value), UInt32(bitPattern: hello.error))
            return .success(Identity(pid: pid, user: user, group: group))
        case .failure(let error):
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            return .failure(error)
        }
    }

    private static func greet(_ socket: Int32, _ helper: String) -> Result<ReportRecord, JailError> {
        var poller = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        var ready: Int32
        repeat { ready = poll(&poller, 1, greetingMilliseconds) } while ready < 0 && errno == EINTR
        var bytes = [UInt8](repeating: 0, count: ReportRecord.size)
        let count = ready > 0 ? recv(socket, &bytes, bytes.count, 0) : 0
        guard count > 0, let record = ReportRecord(Array(bytes.prefix(count))),
            record.kind == JAIL_REPORT_HELLO.rawValue, record.status == Int32(JAIL_FORMAT_VERSION)
        else {
            return .failure(
                JailError(
                    .launcher,
                    "\(helper) did not greet as nexus-jail of format \(JAIL_FORMAT_VERSION): "
                        + "build host and helper from the same sources"))
        }
        return .success(record)
    }

    private static func spawn(_ pid: inout Int32, _ helper: String, _ arguments: [String], _ control: Int32) -> Int32 {
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        return cjail_spawn_launcher(&pid, helper, &vector, control)
    }
}
