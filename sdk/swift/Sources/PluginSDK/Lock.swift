#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A mutual exclusion (pthread_mutex_lock(3)). Not the standard library's `Mutex`, which is a library of its own to
/// link; not an actor, because a plugin without asynchronous tools starts nothing of Swift concurrency.
package final class Lock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func lock() { pthread_mutex_lock(mutex) }
    package func unlock() { pthread_mutex_unlock(mutex) }

    package func hold<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Wakes all who wait. The caller holds the lock.
    package func signal() { pthread_cond_broadcast(condition) }

    /// Lets go of the lock until `signal` or `deadline` (Unix time in milliseconds); false at the deadline.
    package func wait(until deadline: UInt64?) -> Bool {
        guard let deadline else { return pthread_cond_wait(condition, mutex) == 0 }
        var time = timespec()
        time.tv_sec = Int(clamping: min(deadline, 1 << 40) / 1_000)
        time.tv_nsec = Int(deadline % 1_000) * 1_000_000
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }
}

/// The thread that runs this code.
struct CurrentThread: @unchecked Sendable {
    private let thread = pthread_self()
    var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }
}
