internal import Glibc
internal import JSONBytes
internal import Synchronization

/// A host behind a command that speaks the driver contract (HOSTS.md): JSON lines on its standard input and output.
public struct SubprocessHostDriver: HostDriver {
    private let command: [String]
    /// How long any request may take, in seconds: more than the longest deadline of the specification.
    private let patience: Int

    public init(command: [String], patience: Int = 45) {
        self.command = command
        self.patience = patience
    }

    public func open(_ plugins: [HostPlugin]) async throws(HostDriverFailure) -> any HostUnderTest {
        let process = try LineProcess.start(command + plugins.map(\.directory))
        let host = SubprocessHost(process: process, plugins: plugins, patience: patience)
        do {
            try await host.greet()
        } catch {
            process.end()
            throw error
        }
        return host
    }
}

/// One process of a driver.
final class SubprocessHost: HostUnderTest {
    private struct State {
        var waiting: [Int: CheckedContinuation<JSONValue?, Never>] = [:]
        var next = 1
        var abilities: Set<HostAbility> = []
        var isOver = false
    }
    private let state = Mutex(State())
    private let process: LineProcess
    private let credentials: [String: [String: String]]
    private let patience: Int

    init(process: LineProcess, plugins: [HostPlugin], patience: Int) {
        self.process = process
        self.patience = patience
        credentials = Dictionary(uniqueKeysWithValues: plugins.map { ($0.name, $0.credentials) })
    }

    var abilities: Set<HostAbility> { state.withLock { $0.abilities } }

    /// The driver's first line: `{"driver": 1, "host": "…", "can": […]}`, with the id 0 that nobody else has.
    func greet() async throws(HostDriverFailure) {
        let hello = await wait(for: 0, seconds: 15) {
            self.process.read { line in self.receive(line) }
        }
        guard let hello, hello["driver"]?.intValue == 1 else {
            throw HostDriverFailure("the driver did not introduce itself with {\"driver\":1,…} within 15 s")
        }
        let can = (hello["can"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap(HostAbility.init(rawValue:)) }
        state.withLock { $0.abilities = Set(can) }
    }

    private func receive(_ line: [UInt8]?) {
        guard let line else {
            let waiting = state.withLock { state in
                state.isOver = true
                defer { state.waiting = [:] }
                return state.waiting
            }
            for waiter in waiting.values { waiter.resume(returning: nil) }
            return
        }
        guard let answer = try? JSONValue(parsing: line, limits: Self.limits) else { return }
        let id = answer["id"]?.intValue ?? (answer["driver"] == nil ? -1 : 0)
        state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: answer)
    }

    private static let limits: JSONLimits = {
        var limits = JSONLimits.standard
        limits.bytes = 64 << 20
        return limits
    }()

    /// Sends something and waits for the answer with that id; nil if none comes.
    private func wait(for id: Int, seconds: Int, _ send: @escaping @Sendable () -> Void) async -> JSONValue? {
        let timer = Task {
            try await Task.sleep(for: .seconds(seconds))
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: nil)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting[id] = waiter }
                return state.isOver
            }
            if isOver { waiter.resume(returning: nil) } else { send() }
        }
    }

    private func ask(
        _ action: String, _ plugin: String, _ more: [(key: String, value: JSONValue)] = []
    ) async -> JSONValue? {
        let id = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        var members: [(key: String, value: JSONValue)] = [
            (key: "id", value: JSONValue(id)), (key: "do", value: .string(action)),
            (key: "plugin", value: .string(plugin)),
        ]
        if let own = credentials[plugin], !own.isEmpty, action == "start" || action == "call" {
            let sorted = own.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSONValue.string($0.value)) }
            members.append((key: "credentials", value: .object(JSONObject(sorted))))
        }
        let line = JSONValue.object(JSONObject(members + more)).encoded() + [0x0A]
        return await wait(for: id, seconds: patience) { self.process.write(line) }
    }

    // MARK: HostUnderTest

    func start(_ plugin: String) async -> HostAnswer { Self.answer(await ask("start", plugin)) }

    func call(_ call: HostToolCall) async -> HostAnswer {
        var more: [(key: String, value: JSONValue)] = [
            (key: "tool", value: .string(call.tool)),
            (key: "arguments", value: .string(String(decoding: call.arguments, as: UTF8.self))),
        ]
        if let time = call.cancelAfterMilliseconds {
            more.append((key: "cancelAfterMilliseconds", value: JSONValue(time)))
        }
        if let time = call.deadlineMilliseconds { more.append((key: "deadlineMilliseconds", value: JSONValue(time))) }
        return Self.answer(await ask("call", call.plugin, more))
    }

    func state(of plugin: String) async -> HostPluginState {
        guard let answer = await ask("state", plugin) else { return HostPluginState(state: "unknown: no answer") }
        return HostPluginState(
            state: answer["state"]?.stringValue ?? "unknown", cause: answer["cause"]?.stringValue ?? "",
            late: answer["late"]?.intValue ?? 0, log: (answer["log"]?.arrayValue ?? []).compactMap(\.stringValue))
    }

    func stop(_ plugin: String) async { _ = await ask("stop", plugin) }

    func close() async { process.end() }

    private static func answer(_ json: JSONValue?) -> HostAnswer {
        guard let json else {
            return .failure(code: "driver-failed", message: "the driver did not answer", retryable: false)
        }
        if let error = json["error"] {
            return .failure(
                code: error["code"]?.stringValue ?? "", message: error["message"]?.stringValue ?? "",
                retryable: error["retryable"]?.boolValue ?? false)
        }
        return .result(
            json: Array((json["result"]?.stringValue ?? "").utf8),
            bytes: Base64.decode(json["bytes"]?.stringValue ?? ""))
    }
}

/// RFC 4648 section 4, as far as a driver's answers need it.
enum Base64 {
    static func decode(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var (bits, count) = (0, 0)
        for byte in text.utf8 {
            guard let value = value(byte) else { continue }
            (bits, count) = ((bits << 6 | value) & 0xFFFF, count + 6)
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        return bytes
    }

    private static func value(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
