internal import Foundation
internal import Synchronization

/// Ctrl-C, asked for where a command may stop. A handler, and not SIG_IGN, because children would inherit that.
enum Interrupt {
    private static let caught = Atomic<Bool>(false)

    static var isSet: Bool { caught.load(ordering: .relaxed) }

    /// From now on SIGINT, SIGTERM and SIGHUP are noted instead of deadly.
    static func arm() {
        caught.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in Interrupt.caught.store(true, ordering: .relaxed) }
        }
    }
}
