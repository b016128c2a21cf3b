// Jails that wait, one policy each pool: built ahead, confined, and used once. Taking one costs an exec; making the
// next is done behind the taker's back. Nothing of one jail reaches another: each has its own namespaces, user and
// descriptors, and none has run a program before it is taken.
import CJail
import Glibc
import Synchronization

public final class JailPool: Sendable {
    /// A started jail and the host's end of its channel, which the taker closes.
    public struct Taken: Sendable {
        public let jail: Jail
        public let channel: Int32
    }
    private struct Waiting {
        let jail: WaitingJail
        let channel: Int32
    }
    private struct State {
        var waiting: [Waiting] = []
        /// Jails that are being built for the pool.
        var building = 0
        var isClosed = false
        var failure: JailError?
    }

    private let launcher: JailLauncher
    private let policy: JailPolicy
    private let executable: Int32?
    /// How many jails it keeps.
    public let size: Int
    private let state = Mutex(State())

    /// Begins to build `size` jails at once.
    ///
    /// - Parameter executable: from `SealedMemory.seal`, for a sealed program or script; copied, so the caller keeps
    ///   and closes its own.
    /// - Throws: `JailError.Code.policy` for a size outside 1 to 64, `system` when the descriptor cannot be copied.
    public init(_ launcher: JailLauncher, policy: JailPolicy, executable: Int32?, size: Int) throws(JailError) {
        guard (1...64).contains(size) else {
            throw JailError(.policy, "a pool of \(size) jails is refused: use 1 to 64; each holds memory and a user id")
        }
        self.launcher = launcher
        self.policy = policy
        self.size = size
        var copy: Int32?
        if let executable {
            let number = fcntl(executable, F_DUPFD_CLOEXEC, 10)
            guard number >= 0 else { throw .system("executable of pool \"\(policy.name)\"", errno) }
            copy = number
        }
        self.executable = copy
        refill()
    }

    deinit {
        close()
        if let executable { Glibc.close(executable) }
    }

    /// How many jails wait to be taken now.
    public var ready: Int { state.withLock { $0.waiting.count } }

    /// Starts a jail that waits, or builds one when none does.
    ///
    /// - Throws: as `JailLauncher.spawn`; `policy` after `close`.
    public func take() async throws(JailError) -> Taken {
        let (isClosed, found) = state.withLock { state in
            (state.isClosed, state.waiting.isEmpty ? nil : state.waiting.removeFirst())
        }
        guard !isClosed else { throw JailError(.policy, "the pool of jail \"\(policy.name)\" is closed; make another") }
        let waiting: Waiting
        if let found { waiting = found } else { waiting = try await build() }
        defer { refill() }
        do throws(JailError) {
            return Taken(jail: try await waiting.jail.start(), channel: waiting.channel)
        } catch {
            Glibc.close(waiting.channel)
            throw error
        }
    }

    /// Ends the jails that wait. Those that were taken go on.
    public func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiting in left { Glibc.close(waiting.channel) }
    }

    /// Why the last attempt to build one ahead failed; nil when it did not. `take` tries again and throws.
    public var failure: JailError? { state.withLock { $0.failure } }

    private func refill() {
        let missing = state.withLock { state in
            let missing = state.isClosed ? 0 : size - state.waiting.count - state.building
            state.building += max(0, missing)
            return missing
        }
        guard missing > 0 else { return }
        // One after the other: the launcher builds one at a time anyway, and whoever starts a jail must not wait long.
        Task { [weak self] in
            for _ in 0..<missing { await self?.add() }
        }
    }

    private func add() async {
        do throws(JailError) {
            let waiting = try await build()
            let isWanted = state.withLock { state in
                state.building -= 1
                state.failure = nil
                if !state.isClosed { state.waiting.append(waiting) }
                return !state.isClosed
            }
            if !isWanted { Glibc.close(waiting.channel) }
        } catch {
            state.withLock { state in
                state.building -= 1
                state.failure = error
            }
        }
    }

    private func build() async throws(JailError) -> Waiting {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw .system("channel of jail \"\(policy.name)\"", errno)
        }
        defer { Glibc.close(ends[1]) }
        do throws(JailError) {
            let jail = try await launcher.prepare(
                policy, descriptors: JailDescriptors(channel: ends[1], executable: executable))
            return Waiting(jail: jail, channel: ends[0])
        } catch {
            Glibc.close(ends[0])
            throw error
        }
    }
}
