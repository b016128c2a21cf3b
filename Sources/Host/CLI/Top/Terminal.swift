internal import Foundation
internal import Synchronization

/// The whole screen of a terminal, until `leave`: the alternate screen, no cursor, and keys as they are pressed.
final class Terminal: Sendable {
    private static let resized = Atomic<Bool>(false)
    private let saved: termios
    private let isOpen = Mutex(true)

    enum Event: Sendable, Equatable {
        case key(UInt8)
        case resize
        /// A signal asked the program to end, or the terminal is gone.
        case end
    }

    /// Nil where standard input and output are not one terminal that can move its cursor.
    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0,
            ProcessInfo.processInfo.environment["TERM"] ?? "dumb" != "dumb"
        else { return nil }
        saved = settings
        // Ctrl-C and Ctrl-Z are keys here: neither may leave the terminal as it is now (termios(3)).
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        settings.c_iflag &= ~tcflag_t(IXON)
        Interrupt.arm()
        signal(SIGWINCH) { _ in Terminal.resized.store(true, ordering: .relaxed) }
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    deinit { leave() }

    /// Gives the terminal back as it was.
    func leave() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        write("\u{1B}[?25h\u{1B}[?1049l")
        var settings = saved
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
    }

    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// All of it, in as few writes as the terminal takes.
    func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return }
            bytes = bytes.dropFirst(max(count, 0))
        }
    }

    /// Keys and changes of size, read by a thread of its own, because poll(2) blocks.
    func events() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        Thread.detachNewThread {
            while Self.read(continuation) {}
            continuation.finish()
        }
        return stream
    }

    /// Waits a tenth of a second at most; false at the end.
    private static func read(_ events: AsyncStream<Event>.Continuation) -> Bool {
        if resized.exchange(false, ordering: .relaxed) { events.yield(.resize) }
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let ready = poll(&input, 1, 100)
        var byte: UInt8 = 0
        let isGone = ready > 0 && Foundation.read(STDIN_FILENO, &byte, 1) != 1
        guard !Interrupt.isSet, !isGone else {
            events.yield(.end)
            return false
        }
        if ready > 0, case .terminated = events.yield(.key(byte)) { return false }
        return true
    }
}
