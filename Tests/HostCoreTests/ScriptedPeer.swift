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

    func perform(_ call: Message.HostCall, in context: CallContext) async throws(ABIError) -> Message.Payload {
        try await answer(call)
    }
}

/// A session and the plugin's end of its socket, in a test's hands.
final class ScriptedPeer: Sendable {
    let session: PluginSession
    private let descriptor: Int32
    private let decoder = Mutex(FrameDecoder(bodyLimit: ABILimits.bodyBytes))
    let causes = Mutex<[HostError]>([])
    let log = PluginLog { _ in }
    private let isClosed = Mutex(false)

    private static let poller = Result { try DescriptorPoller() }
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

    func send(_ message: Message, stream: UInt64 = 0) throws { try send(message.frame(stream: stream).encoded()) }

    /// The next frame from the host but its pings; fails the test if none ever comes.
    func next() async throws -> Frame {
        while true {
            let frame = try await nextOfAnyKind()
            if frame.kind != .ping { return frame }
        }
    }

    private func nextOfAnyKind() async throws -> Frame {
        for _ in 0..<10_000 {
            if let frame = try decoder.withLock({ (decoder) throws(ABIError) in try decoder.next() }) { return frame }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                decoder.withLock { $0.append(buffer[..<count]) }
            } else {
                try #require(count < 0 && errno == EAGAIN, "the host hung up")
                try await Task.sleep(for: .milliseconds(1))
            }
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
        deadline: UInt64 = Clock.unixMilliseconds() + 60_000, arguments: [UInt8] = Array("{}".utf8)
    ) throws -> Task<PluginSession.Answer, Never> {
        let context = try SamplePlugin.context(deadline: deadline)
        let credential = Credential(name: "key", value: SecretBytes(copying: Array("s3cret-value".utf8)))
        return Task { [session] in
            await session.call(
                Message.Call(
                    tool: "sample_echo", arguments: arguments, deadline: deadline, requestID: "r1",
                    credentials: [credential]), in: context)
        }
    }
}

extension PluginSession.Answer {
    var error: HostError? {
        if case .failure(let error) = self { return error }
        return nil
    }
    var text: String? { (try? get()).map { String(decoding: $0.json, as: UTF8.self) } }
}
