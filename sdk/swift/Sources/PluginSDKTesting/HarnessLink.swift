internal import PluginABI
internal import PluginSDK

/// Frames between a plugin on one thread and the harness on others, in memory.
final class HarnessLink: FrameLink, @unchecked Sendable {
    private let lock = Lock()
    private var toPlugin: [(frame: Frame, descriptor: Int32?)] = []
    /// That of the frame received last.
    private var descriptor: Int32?
    private var isClosed = false
    /// What the plugin sent; runs on the thread that sends, with nothing held but the session's own lock.
    private let deliver: (Message, UInt64) -> Void

    init(deliver: @escaping (Message, UInt64) -> Void) { self.deliver = deliver }

    var bodyLimit = ABILimits.handshakeBodyBytes

    func put(_ message: Message, stream: UInt64 = 0, passing descriptor: Int32? = nil) {
        lock.hold {
            toPlugin.append((message.frame(stream: stream), descriptor))
            lock.signal()
        }
    }

    func close() {
        lock.hold {
            isClosed = true
            lock.signal()
        }
    }

    func takeDescriptor() -> Int32? {
        lock.hold {
            defer { descriptor = nil }
            return descriptor
        }
    }

    func send(_ frame: Frame) throws(SessionError) {
        let message: Message
        do {
            message = try Message(frame)
        } catch {
            throw .protocolBroken(error)
        }
        deliver(message, frame.stream)
    }

    func receive(before deadline: UInt64?) throws(SessionError) -> LinkEvent {
        if let late = takeDescriptor() { _ = Connection(descriptor: late) }
        lock.lock()
        defer { lock.unlock() }
        while true {
            if !toPlugin.isEmpty {
                let next = toPlugin.removeFirst()
                descriptor = next.descriptor
                return .frame(next.frame)
            }
            if isClosed { return .closed }
            if deadline == 0 || !lock.wait(until: deadline) {
                guard toPlugin.isEmpty, !isClosed else { continue }
                return .nothingYet
            }
        }
    }
}
