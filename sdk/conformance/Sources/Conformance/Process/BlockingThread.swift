internal import Glibc
internal import Synchronization

/// A thread for work that waits in poll(2): the kit's checks are written as a conversation, one line after the other,
/// and must not hold a thread of Swift's pool while a plugin thinks.
enum BlockingThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own and returns what it returns.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            let context = Unmanaged.passRetained(Body { continuation.resume(returning: body()) })
            var thread = pthread_t()
            let failure = pthread_create(
                &thread, nil,
                { raw in
                    guard let raw else { return nil }
                    Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                    return nil
                }, context.toOpaque())
            // Without a thread the work is done here: slower for others, but done.
            if failure != 0 { context.takeRetainedValue().run() } else { pthread_detach(thread) }
        }
    }

    /// Waits on such a thread for work that is asynchronous.
    static func wait<Value: Sendable>(for work: @escaping @Sendable () async -> Value) -> Value? {
        let box = Box<Value>()
        Task {
            let value = await work()
            box.value.withLock { $0 = value }
            box.signal()
        }
        box.wait()
        return box.value.withLock { $0 }
    }

    private final class Box<Value: Sendable>: @unchecked Sendable {
        // SAFETY: sem_post and sem_wait are made to be called from different threads on the same memory.
        private let memory = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        let value = Mutex<Value?>(nil)
        init() { sem_init(memory, 0, 0) }
        deinit {
            sem_destroy(memory)
            memory.deallocate()
        }
        func signal() { sem_post(memory) }
        func wait() { while sem_wait(memory) != 0 && errno == EINTR {} }
    }
}
