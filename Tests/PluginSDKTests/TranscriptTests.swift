import Glibc
import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

/// The whole conversations of sdk/spec/vectors/transcripts.json, over a socket, with the vector plugin at its end.
@Suite(.timeLimit(.minutes(1))) struct TranscriptTests {
    @Test(arguments: try VectorFile.transcripts()) func waitingToolsKeepTheTranscript(
        _ transcript: Transcript
    ) async throws {
        try await play(transcript, VectorPlugin.waiting())
    }

    @Test(arguments: try VectorFile.transcripts())
    func asynchronousToolsKeepTheTranscript(_ transcript: Transcript) async throws {
        try await play(transcript, VectorPlugin.asynchronous())
    }

    @Test func thereAreTranscriptsOfBothKinds() throws {
        let transcripts = try VectorFile.transcripts()
        #expect(transcripts.count { $0.wrong == nil } >= 21)
        #expect(transcripts.count { $0.wrong == "host" } >= 9)
    }

    private func play(_ transcript: Transcript, _ plugin: sending Plugin) async throws {
        let host = try TranscriptHost(plugin)
        for (number, step) in transcript.steps.enumerated() {
            let place = "\(transcript.name), step \(number)"
            let kind = try #require(step["kind"]?.stringValue)
            let stream = try #require(step["stream"]?.stringValue.flatMap(UInt64.init))
            let message = step["message"] ?? [:]
            if step["from"] == "host" {
                try host.put(#require(Message(vector: kind, message), "\(place): \(kind)"), stream: stream)
                continue
            }
            let (seen, seenStream) = try #require(
                try await host.next(), "\(place): the plugin hung up instead of \(kind)")
            #expect("\(seen.kind)" == kind, "\(place): \(seen)")
            #expect(seenStream == stream, "\(place)")
            for (name, value) in message.objectValue?.members ?? [] {
                #expect(seen.vectorMember(name) == value, "\(place): \(name)")
            }
        }
        #expect(try await host.next() == nil, "\(transcript.name): the plugin says more")
    }
}

struct Transcript: Sendable, CustomTestStringConvertible {
    var name: String
    var wrong: String?
    var steps: [JSONValue]
    var testDescription: String { name }
}

enum VectorFile {
    static func json(_ name: String) throws -> JSONValue {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        let path = root.joined(separator: "/") + "/sdk/spec/vectors/\(name)"
        let file = try #require(fopen(path, "r"), "\(path) is missing")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return try JSONValue(parsing: bytes)
    }

    /// Those that bind a plugin.
    static func transcripts() throws -> [Transcript] {
        try #require(json("transcripts.json")["transcripts"]?.arrayValue).compactMap { entry in
            let wrong = entry["wrong"]?.stringValue
            guard wrong != "plugin", let name = entry["name"]?.stringValue, let steps = entry["steps"]?.arrayValue
            else { return nil }
            return Transcript(name: name, wrong: wrong, steps: steps)
        }
    }
}

/// The host's end of a socket; the plugin runs on a thread of its own.
private final class TranscriptHost {
    private let socket: Int32
    private var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)

    init(_ plugin: sending Plugin) throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        socket = ends[0]
        let life = Life(plugin, ends[1])
        var thread = pthread_t()
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            if let context { Unmanaged<Life>.fromOpaque(context).takeRetainedValue().run() }
            return nil
        }
        try #require(pthread_create(&thread, nil, start, Unmanaged.passRetained(life).toOpaque()) == 0)
        pthread_detach(thread)
    }

    deinit { close(socket) }

    func put(_ message: Message, stream: UInt64) {
        let bytes = message.frame(stream: stream).encoded()
        #expect(write(socket, bytes, bytes.count) == bytes.count)
    }

    func next() async throws -> (Message, UInt64)? {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let frame = try decoder.next() { return (try Message(frame), frame.stream) }
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            // Not by waiting in poll(2): the plugin's tasks run on the threads that would wait.
            for _ in 0..<20_000 where poll(&ready, 1, 0) == 0 { try await Task.sleep(for: .milliseconds(1)) }
            try #require(ready.revents != 0, "the plugin says nothing")
            let count = read(socket, &chunk, chunk.count)
            guard count > 0 else { return nil }
            decoder.append(chunk[..<count])
        }
    }

    private final class Life {
        let plugin: Plugin
        let descriptor: Int32
        init(_ plugin: Plugin, _ descriptor: Int32) { (self.plugin, self.descriptor) = (plugin, descriptor) }
        func run() {
            try? PluginMain.serve(plugin, descriptor: descriptor)
            close(descriptor)
        }
    }
}

extension Message {
    /// A message of the host, as the vectors write it; nil for other kinds.
    fileprivate init?(vector kind: String, _ json: JSONValue) {
        func text(_ name: String) -> String { json[name]?.stringValue ?? "" }
        func number(_ name: String) -> UInt64 { UInt64(text(name)) ?? UInt64(json[name]?.intValue ?? 0) }
        let payload = Payload(json: Array(text("json").utf8), bytes: Self.bytes(text("hex")))
        switch kind {
        case "welcome":
            self = .welcome(
                version: UInt32(number("version")), instance: text("instance"), bodyLimit: UInt32(number("bodyLimit")))
        case "initialize": self = .initialize(configuration: Array(text("configuration").utf8))
        case "start": self = .start
        case "stop": self = .stop(deadline: number("deadline"))
        case "dispose": self = .dispose
        case "ping": self = .ping(nonce: number("nonce"))
        case "pong": self = .pong(nonce: number("nonce"))
        case "started": self = .started
        case "cancel": self = .cancel(reason: text("reason"))
        case "cancelled": self = .cancelled(reason: text("reason"))
        case "credit": self = .credit(bytes: UInt32(number("bytes")))
        case "result": self = .result(payload)
        case "abort": self = .abort(ABIError(ABIError.Code(text("code")), text("message")))
        case "error":
            let retryable = json["retryable"]?.boolValue == true
            self = .error(ABIError(ABIError.Code(text("code")), text("message")), retryable: retryable)
        case "call":
            let credentials = (json["credentials"]?.arrayValue ?? []).map { item in
                Credential(
                    name: item["name"]?.stringValue ?? "",
                    value: SecretBytes(copying: Self.bytes(item["hex"]?.stringValue ?? "")))
            }
            self = .call(
                Call(
                    tool: text("tool"), arguments: Array(text("arguments").utf8), deadline: number("deadline"),
                    requestID: text("requestID"), credentials: credentials,
                    traceparent: json["traceparent"]?.stringValue, tracestate: json["tracestate"]?.stringValue))
        default: return nil
        }
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func text(_ bytes: [UInt8]) -> JSONValue { .string(String(decoding: bytes, as: UTF8.self)) }

    /// A member of a message of the plugin, as the vectors write it.
    fileprivate func vectorMember(_ name: String) -> JSONValue? {
        switch (self, name) {
        case (.hello(let versions, _, _), "minimum"): JSONValue(Int(versions.minimum))
        case (.hello(let versions, _, _), "maximum"): JSONValue(Int(versions.maximum))
        case (.pong(let nonce), "nonce"): JSONValue("\(nonce)")
        case (.result(let payload), "json"): Self.text(payload.json)
        case (.result(let payload), "hex"): payload.bytes.isEmpty ? "" : nil
        case (.error(let error, _), "code"), (.abort(let error), "code"): JSONValue(error.code.rawValue)
        case (.error(let error, _), "message"): JSONValue(error.message)
        case (.error(_, let retryable), "retryable"): .bool(retryable)
        case (.data(let bytes), "length"): JSONValue(bytes.count)
        case (.data(let bytes), "hex"):
            JSONValue(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        case (.progress(let progress), "done"): JSONValue("\(progress.done)")
        case (.progress(let progress), "total"): JSONValue(progress.total.map { "\($0)" })
        case (.progress(let progress), "message"): JSONValue(progress.message)
        case (.hostCall(let call), "service"): JSONValue(call.service)
        case (.hostCall(let call), "parent"): JSONValue("\(call.parent)")
        case (.hostCall(let call), "json"): Self.text(call.content.json)
        case (.hostCall, "hex"): ""
        case (.hostCall(let call), "traceparent"): JSONValue(call.traceparent)
        case (.cancel(let reason), "reason"), (.cancelled(let reason), "reason"): JSONValue(reason)
        case (.log(let record), "level"): JSONValue("\(record.level)")
        case (.log(let record), "message"): JSONValue(record.message)
        case (.log(let record), "fields"): record.fields.map { Self.text($0) } ?? .null
        default: nil
        }
    }
}
