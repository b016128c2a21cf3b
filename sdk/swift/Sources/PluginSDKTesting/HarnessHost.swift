#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif
internal import JSONBytes
internal import PluginABI
internal import PluginSDK

/// The host's half of a session in memory. State is behind `lock`; frames come in on the plugin's threads.
final class HarnessHost: @unchecked Sendable {
    private let lock = Lock()
    private var link: HarnessLink?
    private var store: [String: [UInt8]]?
    private let http: HarnessServices.Answer?
    private let connect: HarnessServices.Connect?
    private var open: [UInt64: OpenCall] = [:]
    private var last: UInt64 = 0
    private var schemas: [String: JSONSchema] = [:]
    private var logs: [Message.LogRecord] = []
    /// Who waits for a step of the lifecycle: the kind that ends it.
    private var awaited: (kind: FrameKind, resume: (Result<Void, HarnessFailure>) -> Void)?
    private var ended: String?

    private struct OpenCall {
        var tool: String
        var answer = HarnessAnswer()
        var creditLeft: Int
        var resume: (HarnessAnswer) -> Void
    }

    init(services: HarnessServices) {
        http = services.http
        connect = services.connect
        store = services.store
    }

    var sessionLogs: [Message.LogRecord] { lock.hold { logs } }

    func nextStream() -> UInt64 {
        lock.hold {
            last += last == 0 ? 1 : 2
            return last
        }
    }

    // MARK: the life of the plugin

    func start(_ plugin: Plugin, configuration: JSONValue) async throws {
        if let mistake = plugin.mistakes.first { throw HarnessFailure(description: mistake) }
        for tool in plugin.description["tools"]?.arrayValue ?? [] {
            guard let name = tool["name"]?.stringValue, let schema = tool["outputSchema"] else { continue }
            schemas[name] = try? JSONSchema(schema)
        }
        let link = HarnessLink { [weak self] message, stream in self?.take(message, stream) }
        self.link = link
        let life = PluginLife(plugin: plugin, link: link) { [weak self] error in self?.over(error) }
        try await step(.hello) { life.begin() }
        let limit = UInt32(ABILimits.bodyBytes)
        link.put(.welcome(version: 1, instance: "harness-1", bodyLimit: limit))
        try await step(.initialized) { link.put(.initialize(configuration: configuration.encoded())) }
        try await step(.started) { link.put(.start) }
    }

    func stop(_ milliseconds: UInt64) async throws {
        try await step(.stopped) { link?.put(.stop(deadline: Clock.unixMilliseconds() + milliseconds)) }
        try await step(.disposed) { link?.put(.dispose) }
    }

    func hangUp() { link?.close() }

    private func step(_ kind: FrameKind, _ action: () -> Void) async throws {
        let result: Result<Void, HarnessFailure> = await withUnsafeContinuation { continuation in
            let reason = lock.hold {
                if ended == nil { awaited = (kind, { continuation.resume(returning: $0) }) }
                return ended
            }
            if let reason { return continuation.resume(returning: .failure(HarnessFailure(description: reason))) }
            action()
        }
        try result.get()
    }

    private func over(_ error: SessionError?) {
        let reason = error.map { "the session ended: \($0)" } ?? "the session ended"
        let (step, calls) = lock.hold {
            ended = reason
            defer {
                awaited = nil
                open = [:]
            }
            return (awaited, open)
        }
        step?.resume(.failure(HarnessFailure(description: reason)))
        for var call in calls.values {
            call.answer.ending = .none(reason)
            call.resume(call.answer)
        }
    }

    // MARK: calls

    func call(_ call: Message.Call, stream: UInt64, credit: Int) async -> HarnessAnswer {
        await withUnsafeContinuation { continuation in
            let reason = lock.hold {
                if ended == nil {
                    open[stream] = OpenCall(tool: call.tool, creditLeft: credit) { continuation.resume(returning: $0) }
                }
                return ended
            }
            if let reason {
                var answer = HarnessAnswer()
                answer.ending = .none(reason)
                return continuation.resume(returning: answer)
            }
            link?.put(.call(call), stream: stream)
            if Task.isCancelled { cancel(stream) }
        }
    }

    func cancel(_ stream: UInt64) {
        guard lock.hold({ open[stream] != nil }) else { return }
        link?.put(.cancel(reason: "the test gave up"), stream: stream)
    }

    private func take(_ message: Message, _ stream: UInt64) {
        switch message {
        case .hello, .initialized, .started, .stopped, .disposed: reached(message.kind)
        case .error(let error, let retryable):
            end(stream, .error(ToolError(error.code, error.message, retryable: retryable)), [])
        case .result(let payload):
            let value = (try? JSONValue(parsing: payload.json)) ?? .null
            end(stream, .result(value), payload.bytes)
        case .cancelled: end(stream, .cancelled, [])
        case .data(let bytes): took(bytes, stream)
        case .progress(let progress): lock.hold { open[stream]?.answer.progress.append(progress) }
        case .log(let record):
            lock.hold { if stream == 0 { logs.append(record) } else { open[stream]?.answer.logs.append(record) } }
        case .hostCall(let call):
            let (answer, descriptor) = serve(call)
            link?.put(answer, stream: stream, passing: descriptor)
        default: break
        }
    }

    private func reached(_ kind: FrameKind) {
        let step = lock.hold { () -> ((Result<Void, HarnessFailure>) -> Void)? in
            guard awaited?.kind == kind else { return nil }
            defer { awaited = nil }
            return awaited?.resume
        }
        step?(.success(()))
    }

    private func took(_ bytes: [UInt8], _ stream: UInt64) {
        let granted = lock.hold { () -> Int in
            guard var call = open[stream] else { return 0 }
            call.answer.bytes += bytes
            let granted = min(bytes.count, call.creditLeft)
            call.creditLeft -= granted
            open[stream] = call
            return granted
        }
        if granted > 0 { link?.put(.credit(bytes: UInt32(granted)), stream: stream) }
    }

    private func end(_ stream: UInt64, _ ending: HarnessAnswer.Ending, _ bytes: [UInt8]) {
        guard var call = lock.hold({ open.removeValue(forKey: stream) }) else { return }
        call.answer.ending = ending
        call.answer.bytes += bytes
        if case .result(let value) = ending, let schema = schemas[call.tool] {
            call.answer.violations = schema.violations(in: value).map(\.description)
        }
        call.resume(call.answer)
    }

    // MARK: services

    private func serve(_ call: Message.HostCall) -> (Message, descriptor: Int32?) {
        do {
            let json = (try? JSONValue(parsing: call.content.json)) ?? [:]
            if call.service == "http.fetch", let http {
                return (.result(HarnessRequest.payload(try http(HarnessRequest(json, call.content.bytes)))), nil)
            }
            if call.service == "net.connect", let connect {
                let (host, port) = (json["host"]?.stringValue ?? "", json["port"]?.intValue ?? 0)
                let descriptor = try connect(host, port)
                return (.result(Message.Payload(["connected": .string("\(host):\(port)")])), descriptor)
            }
            if let answer = lock.hold({ stored(call.service, json, call.content.bytes) }) {
                return (.result(answer), nil)
            }
            throw ToolError(.permissionDenied, "the harness was given no \(call.service)")
        } catch {
            let told = error as? ToolError ?? ToolError(.unavailable, "\(error)", retryable: true)
            return (.error(ABIError(told.code, told.message), retryable: told.retryable), nil)
        }
    }

    private func stored(_ service: String, _ request: JSONValue, _ bytes: [UInt8]) -> Message.Payload? {
        guard let values = store else { return nil }
        let key = request["key"]?.stringValue ?? ""
        switch service {
        case "kv.get": return Message.Payload(["found": .bool(values[key] != nil)], bytes: values[key] ?? [])
        case "kv.put":
            store?[key] = bytes
            return Message.Payload([:])
        case "kv.delete": return Message.Payload(["existed": .bool(store?.removeValue(forKey: key) != nil)])
        case "kv.list":
            let after = request["after"]?.stringValue ?? ""
            let keys = values.keys.filter { $0.hasPrefix(request["prefix"]?.stringValue ?? "") && $0 > after }.sorted()
            let limit = request["limit"]?.intValue ?? 100
            return Message.Payload(["keys": JSONValue(Array(keys.prefix(limit))), "more": .bool(keys.count > limit)])
        default: return nil
        }
    }
}

extension HarnessRequest {
    fileprivate static func payload(_ response: HTTPResponse) -> Message.Payload {
        let headers = response.headers.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSONValue($0.value)) }
        return Message.Payload(
            ["status": JSONValue(response.status), "headers": .object(JSONObject(headers))], bytes: response.body)
    }

    fileprivate init(_ json: JSONValue, _ body: [UInt8]) {
        var headers: [String: String] = [:]
        for member in json["headers"]?.objectValue?.members ?? [] { headers[member.key] = member.value.stringValue }
        self.init(
            endpoint: json["endpoint"]?.stringValue ?? "", method: json["method"]?.stringValue ?? "",
            path: json["path"]?.stringValue ?? "", query: json["query"]?.stringValue, headers: headers,
            sealed: json["sealed"]?.arrayValue?.compactMap(\.stringValue) ?? [], body: body)
    }
}

/// The session's thread.
private final class PluginLife {
    private let plugin: Plugin
    private let link: HarnessLink
    private let end: (SessionError?) -> Void

    init(plugin: Plugin, link: HarnessLink, end: @escaping (SessionError?) -> Void) {
        self.plugin = plugin
        self.link = link
        self.end = end
    }

    func begin() {
        var thread = pthread_t()
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            if let context { Unmanaged<PluginLife>.fromOpaque(context).takeRetainedValue().run() }
            return nil
        }
        if pthread_create(&thread, nil, start, Unmanaged.passRetained(self).toOpaque()) == 0 {
            pthread_detach(thread)
        }
    }

    private func run() {
        do {
            try Session(plugin: plugin, link: link).run()
            end(nil)
        } catch {
            end(error)
        }
    }
}
