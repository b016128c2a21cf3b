import CJail
import Glibc

/// A socket to a launcher that has greeted. Closed when nobody uses it any more, so that its number cannot come to mean
/// another file meanwhile.
final class LauncherConnection: Sendable {
    /// Who the launcher runs as.
    struct Identity: Sendable, Equatable { var pid: Int32, user: UInt32, group: UInt32 }
    let descriptor: Int32
    let identity: Identity

    /// Takes over the descriptor.
    ///
    /// - Parameter greeting: what was read from it; nil is returned, and nothing taken, if that is no greeting.
    init?(_ descriptor: Int32, greeting: ReportRecord) {
        guard greeting.kind == JAIL_REPORT_HELLO.rawValue, greeting.status == Int32(JAIL_FORMAT_VERSION) else {
            return nil
        }
        self.descriptor = descriptor
        identity = Identity(
            pid: Int32(bitPattern: greeting.operation), user: UInt32(bitPattern: greeting.value),
            group: UInt32(bitPattern: greeting.error))
        // A stopped launcher must not hold a thread of the host for ever.
        _ = cjail_limit_sending(descriptor, Int32(JailLauncher.startSeconds))
    }

    deinit { close(descriptor) }
}

/// posix_spawn(3) of nexus-jail: no environment, /dev/null thrice, the keeper's socket on 3 and nothing else.
enum LauncherProcess {
    private static let greetingMilliseconds: Int32 = 5000
    /// The keeper's process, and the first launcher.
    struct Started: Sendable { var keeper: Int32, connection: LauncherConnection }

    /// What the keeper says of a new launcher.
    struct Handover: Sendable {
        var descriptor: Int32
        /// How the one before ended; nil for the first.
        var loss: JailExit?
    }

    /// Runs on the monitor's thread. Closes `control` at once, so that a helper that ends early is noticed early.
    static func start(
        helper: String, arguments: [String], control: Int32, keeperSocket: Int32
    ) -> Result<Started, JailError> {
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
        if let connection = greet(keeperSocket) {
            return .success(Started(keeper: pid, connection: connection))
        }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        return .failure(
            JailError(
                .launcher,
                "\(helper) did not greet as nexus-jail of format \(JAIL_FORMAT_VERSION): "
                    + "build host and helper from the same sources"))
    }

    private static func greet(_ keeper: Int32) -> LauncherConnection? {
        guard isReadable(keeper), case .handed(let handover) = receive(keeper) else { return nil }
        guard isReadable(handover.descriptor), case .record(let record?) = read(handover.descriptor),
            let connection = LauncherConnection(handover.descriptor, greeting: record)
        else {
            close(handover.descriptor)
            return nil
        }
        return connection
    }

    private static func isReadable(_ descriptor: Int32) -> Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var ready: Int32
        repeat { ready = poll(&poller, 1, greetingMilliseconds) } while ready < 0 && errno == EINTR
        return ready > 0
    }

    enum Word {
        case nothingYet
        case handed(Handover)
        /// Nil for an end, or what is no record.
        case record(ReportRecord?)
    }

    /// One message of the keeper.
    static func receive(_ socket: Int32) -> Word { message(socket, from: JAIL_REPORT_LAUNCHER.rawValue) }

    /// One message of a launcher.
    static func read(_ socket: Int32) -> Word { message(socket, from: nil) }

    private static func message(_ socket: Int32, from handing: UInt32?) -> Word {
        var bytes = [UInt8](repeating: 0, count: ReportRecord.size)
        var passed: Int32 = -1
        let count = cjail_receive(socket, &bytes, bytes.count, &passed)
        if count == -Int(EAGAIN) || count == -Int(EINTR) { return .nothingYet }
        let record = count > 0 ? ReportRecord(Array(bytes.prefix(count))) : nil
        guard passed >= 0 else { return .record(record) }
        guard let record, record.kind == handing else {
            close(passed)
            return .record(nil)
        }
        let loss = record.error == 0 ? nil : JailExit(waitStatus: record.error)
        return .handed(Handover(descriptor: passed, loss: loss))
    }

    private static func spawn(_ pid: inout Int32, _ helper: String, _ arguments: [String], _ control: Int32) -> Int32 {
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        return cjail_spawn_launcher(&pid, helper, &vector, control)
    }
}

extension JailExit {
    /// As wait(2) tells it.
    init(waitStatus status: Int32) {
        self = status & 0x7F == 0 ? .exited(code: status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }
}
