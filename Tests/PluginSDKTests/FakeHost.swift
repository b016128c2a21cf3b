import JSONBytes
import PluginABI

@testable import PluginSDK

/// A host in the same thread: it answers each frame of the plugin by a rule, and the plugin finds the answers when it
/// next reads. What the plugin sent is kept for the test to look at.
final class FakeHost: FrameLink {
    var bodyLimit = ABILimits.handshakeBodyBytes
    private(set) var received: [(message: Message, stream: UInt64)] = []
    private var outgoing: [Frame] = []
    private let answer: (Message, UInt64, FakeHost) -> Void
    /// The script: the next step is taken whenever the plugin is idle and nothing is left to read.
    private var steps: [(FakeHost) -> Void]

    init(steps: [(FakeHost) -> Void] = [], answer: @escaping (Message, UInt64, FakeHost) -> Void = { _, _, _ in }) {
        self.steps = steps
        self.answer = answer
    }

    func put(_ message: Message, stream: UInt64 = 0) { outgoing.append(message.frame(stream: stream)) }
    func put(_ frame: Frame) { outgoing.append(frame) }

    func send(_ frame: Frame) throws(SessionError) {
        do {
            let message = try Message(frame)
            received.append((message, frame.stream))
            answer(message, frame.stream, self)
        } catch {
            throw .protocolBroken(error)
        }
    }

    func receive(before deadline: UInt64?) throws(SessionError) -> LinkEvent {
        if outgoing.isEmpty, deadline == nil, !steps.isEmpty { steps.removeFirst()(self) }
        if !outgoing.isEmpty { return .frame(outgoing.removeFirst()) }
        return deadline == nil ? .closed : .nothingYet
    }

    var kinds: [FrameKind] { received.map(\.message.kind) }

    /// The terminal frame of a stream.
    func ending(of stream: UInt64) -> Message? {
        received.first { $0.stream == stream && $0.message.kind.isTerminal }?.message
    }

    func result(of stream: UInt64) -> JSONValue? {
        guard case .result(let payload) = ending(of: stream) else { return nil }
        return try? JSONValue(parsing: payload.json)
    }

    func error(of stream: UInt64) -> ABIError? {
        guard case .error(let error, _) = ending(of: stream) else { return nil }
        return error
    }
}

extension FakeHost {
    /// A host that greets, starts, makes these calls in one go, stops and disposes.
    static func wholeLife(
        calls: [(stream: UInt64, call: Message.Call)] = [], bodyLimit: UInt32 = 1 << 20,
        answer: @escaping (Message, UInt64, FakeHost) -> Void = { _, _, _ in }
    ) -> FakeHost {
        FakeHost(
            steps: [
                { $0.put(.welcome(version: 1, instance: "test-1", bodyLimit: bodyLimit)) },
                { $0.put(.initialize(configuration: Array("{}".utf8))) },
                { $0.put(.start) },
                { host in
                    for entry in calls { host.put(.call(entry.call), stream: entry.stream) }
                    if calls.isEmpty { host.put(.ping(nonce: 0)) }
                },
                { $0.put(.stop(deadline: .max)) },
                { $0.put(.dispose) },
            ], answer: answer)
    }
}

extension Message.Call {
    static func test(
        _ tool: String, _ arguments: JSONValue = [:], credentials: [Credential] = [], deadline: UInt64 = .max
    ) -> Message.Call {
        Message.Call(
            tool: tool, arguments: arguments.encoded(), deadline: deadline, requestID: "request-1",
            credentials: credentials)
    }
}

extension Credential {
    static func test(_ name: String, _ value: String) -> Credential {
        Credential(name: name, value: SecretBytes(copying: value.utf8))
    }
}
