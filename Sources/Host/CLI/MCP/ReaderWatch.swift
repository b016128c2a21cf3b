internal import Foundation

/// Whether anybody still reads what this process writes. An agent that was killed takes both ends with it: the end of
/// the input alone is no sign of that, because whoever ends it may still wait for answers.
enum ReaderWatch {
    /// Calls back once, from a thread of its own, when the other end of a pipe, socket or terminal is gone (poll(2):
    /// `POLLERR` or `POLLHUP`, which need not be asked for). For a file it never does.
    static func whenGone(_ descriptor: Int32, _ action: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            var watched = pollfd(fd: descriptor, events: 0, revents: 0)
            var count: Int32
            repeat { count = poll(&watched, 1, -1) } while count < 0 && errno == EINTR
            if count > 0 { action() }
        }
    }
}
