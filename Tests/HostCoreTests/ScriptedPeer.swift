import CJail
import Foundation
import PluginABI
import Synchronization
import Testing

@testable import HostCore

/// Host services that answer as a test says.
struct ScriptedServices: HostServices {
    var answer: @Sendable (Message.HostCall) async throws(ABIError) -> Message.Payload = { (_) throws(ABIError) in
        throw ABIError(.unavailable, "no services here")
    }
    /// Goes with every answer.
    var socket: (@Sendable () -> PassedSocket?)?

    func answer(_ call: Message.HostCall, in context: CallContext) async throws(ServiceFailure) -> ServiceAnswer {
        do throws(ABIError) {
            var whole = ServiceAnswer(try await answer(call))
            whole.socket = socket?()
            return whole
        } catch {
            throw ServiceFailure(error)
        }
    }
}

/// A session and the plugin's end of its socket, in a test's hands.
final class ScriptedPeer: Sendable {
    let session: PluginSession
    private let descriptor: Int32
    private let decoder = Mutex(FrameDecoder(bodyLimit: ABILimits.bodyBytes))
    let causes = Mutex<[HostError]>([])
    let log = PluginLog { _ in }
    /// How often something was read.
    let reads = Mutex(0)
    private let isClosed = Mutex(false)

    static let poller = Result { try DescriptorPoller() }
    static let gone = HostError(.pluginFailed, "the plugin sample ended: by the script", retryable: true)

    init(services: ScriptedServices = ScriptedServices()) throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        descriptor = ends[1]
        let later = Later()
        session = PluginSession(
            plugin: "sample", descriptor: ends[0], poller: try Self.poller.get(),
            callbacks: PluginSession.Callbacks(
                log: { [log] in log.add($0, request: $1) }, diagnose: { [log] in log.add($0, request: $1) },
                services: services,
                explainEnd: { Self.gone }, ended: { later.call($0) }))
        later.set { [weak self] cause in self?.causes.withLock { $0.append(cause) } }
        session.open()
    }

    /// A callback that is known only after the object that it calls.
    private final class Later: Sendable {
        private let body = Mutex<(@Sendable (HostError) -> Void)?>(nil)
        func set(_ body: @escaping @Sendable (HostError) -> Void) { self.body.withLock { $0 = body } }
        func call(_ cause: HostError) { body.withLock { $0 }?(cause) }
    }

    deinit {
        hangUp()
        session.fail(HostError(.pluginFailed, "the test is over"))
    }

    func hangUp() {
        isClosed.withLock { closed in
            if !closed { close(descriptor) }
            closed = true
        }
    }

    func send(_ bytes: [UInt8]) throws { try #require(trySend(bytes)) }

    /// False once the host has hung up.
    func trySend(_ bytes: [UInt8]) -> Bool {
        Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Bytes with a descriptor beside them (unix(7), SCM_RIGHTS).
    func send(_ bytes: [UInt8], passing other: Int32) throws {
        try #require(cjail_send(descriptor, bytes, bytes.count, [other], 1) == 0)
    }

    func send(_ message: Message, stream: UInt64 = 0) throws { try send(message.frame(stream: stream).encoded()) }

    /// The next frame from the host but its pings, which are answered; fails the test if none ever comes.
    func next() async throws -> Frame {
        while true {
            let frame = try await nextOfAnyKind()
            guard case .ping(let nonce) = try Message(frame) else { return frame }
            // On a busy machine a test lives long enough to be asked whether it is well.
            _ = trySend(Message.pong(nonce: nonce).frame(stream: 0).encoded())
        }
    }

    private func nextOfAnyKind() async throws -> Frame {
        for _ in 0..<10_000 {
            if let frame = try decoder.withLock({ (decoder) throws(ABIError) in try decoder.next() }) { return frame }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                reads.withLock { $0 += 1 }
                decoder.withLock { $0.append(buffer[..<count]) }
            } else {
                try #require(count < 0 && errno == EAGAIN, "the host hung up")
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        throw HostError(.deadlineExceeded, "the host sent nothing")
    }

    /// The next bytes, as recvmsg(2) gives them, and the descriptor that came with them.
    func nextBytes(upTo limit: Int = 65_536) async throws -> (bytes: [UInt8], descriptor: Int32?) {
        for _ in 0..<10_000 {
            var buffer = [UInt8](repeating: 0, count: limit)
            var control: (length: Int, level: Int32, type: Int32, descriptor: Int32, rest: Int32) = (0, 0, 0, -1, 0)
            let count = buffer.withUnsafeMutableBytes { bytes in
                withUnsafeMutablePointer(to: &control) { control in
                    var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                    return withUnsafeMutablePointer(to: &part) { part in
                        var message = msghdr()
                        (message.msg_iov, message.msg_iovlen) = (part, 1)
                        (message.msg_control, message.msg_controllen) = (UnsafeMutableRawPointer(control), 24)
                        return recvmsg(descriptor, &message, Int32(MSG_DONTWAIT) | 0x4000_0000)
                    }
                }
            }
            if count > 0 { return (Array(buffer[..<count]), control.length >= 20 ? control.descriptor : nil) }
            try #require(count < 0 && errno == EAGAIN, "the host hung up")
            try await Task.sleep(for: .milliseconds(1))
        }
        throw HostError(.deadlineExceeded, "the host sent nothing")
    }

    func next(_ kind: FrameKind) async throws -> Frame {
        let frame = try await kind == .ping ? nextOfAnyKind() : next()
        try #require(frame.kind == kind)
        return frame
    }

    /// hello … started.
    func start() async throws {
        try send(.hello(versions: VersionRange(1, 1), name: "sample", sdk: nil))
        try await session.step(nil, to: .greeted, milliseconds: 20_000)
        try await session.step(
            .welcome(version: 1, instance: "sample#1", bodyLimit: UInt32(ABILimits.bodyBytes)), to: .welcomed,
            milliseconds: 20_000)
        _ = try await next(.welcome)
        try await answer(.initialize(configuration: Array("{}".utf8)), .initialized, .initialized)
        try await answer(.start, .started, .running)
    }

    private func answer(_ message: Message, _ reply: Message, _ state: LifecycleState) async throws {
        async let step: Void = session.step(message, to: state, milliseconds: 20_000)
        _ = try await next(message.kind)
        try send(reply)
        try await step
    }

    /// The log's lines, once there are at least so many; what there is if there never are.
    func lines(atLeast count: Int = 1) async throws -> [String] {
        for _ in 0..<10_000 where log.recent(100).count < count { try await Task.sleep(for: .milliseconds(1)) }
        return log.recent(100)
    }

    /// Makes a call in the background.
    func call(
        deadline: UInt64 = Clock.unixMilliseconds() + 60_000, arguments: [UInt8] = Array("{}".utf8),
        progress: (@Sendable (Message.Progress) -> Void)? = nil, stream: AnswerStream? = nil
    ) throws -> Task<PluginSession.Answer, Never> {
        var context = try SamplePlugin.context(deadline: deadline)
        (context.progress, context.stream) = (progress, stream)
        let credential = Credential(name: "key", value: SecretBytes(copying: Array("s3cret-value".utf8)))
        return Task { [session, context] in
            await session.call(
                Message.Call(
                    tool: "sample_echo", arguments: arguments, deadline: deadline, requestID: "r1",
                    credentials: [credential]), in: context)
        }
    }
}

extension SessionCore {
    mutating func receive(_ bytes: some Collection<UInt8>) -> [Effect] {
        Array(bytes).withUnsafeBytes { receive($0) }
    }
}

extension PluginSession.Answer {
    var error: HostError? {
        if case .failure(let error) = self { return error }
        return nil
    }
    var text: String? { (try? get()).map { String(decoding: $0.json, as: UTF8.self) } }
}
