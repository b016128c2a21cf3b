// What crosses here: bytes of a plugin, on their way to a file or a pipe. They are never shown on a terminal.
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// `nexus tool call --stream`: what comes is written before more is read, so that a slow reader holds back the plugin.
struct StreamedCall {
    let client: HostClient
    /// Print the records as they are instead.
    let isJSON: Bool
    /// A file's path instead of standard output.
    let output: String?

    /// - Throws: `CommandFailure`: the call's, or that the answer was cut off or cannot be written.
    func make(_ tool: String, _ arguments: [UInt8]) async throws {
        guard isJSON || output != nil || isatty(STDOUT_FILENO) == 0 else {
            throw CommandFailure("--stream writes bytes as they are: use a pipe or --output FILE, not a terminal")
        }
        let file = OutputFile(path: output)
        var lines = LineSplitter(limit: Self.lineBytes)
        var records = StreamedRecords()
        do {
            // The host ends a call after 60 s.
            let (status, body) = try await client.exchange(
                .post, APIPath.call(tool), query: [("stream", "1")], body: arguments
            ) { piece in
                for line in lines.push(piece) { try take(line, &records, file) }
            }
            guard status == 200 else { throw client.failure(status, body) }
            try records.finish()
        } catch let failure as CommandFailure where file.count > 0 {
            var shown = failure.shown
            shown.message += "; \(file.count) bytes of the answer were written before that"
            throw CommandFailure(shown)
        }
    }

    private func take(_ line: LineSplitter.Line, _ records: inout StreamedRecords, _ file: OutputFile) throws {
        let record = try records.take(line)
        switch record {
        case .bytes(let bytes) where !isJSON || output != nil: try file.write(bytes)
        case .result(let json) where !isJSON:
            let target = output == nil ? FileHandle.standardError : .standardOutput
            target.write(Data(json) + Data("\n".utf8))
        case .bytes, .result:
            guard case .text(let text) = line else { return }
            FileHandle.standardOutput.write(Data(text) + Data("\n".utf8))
        }
    }

    /// One record: bytes of an answer in base64, or a result.
    private static let lineBytes = 32 << 20
}

/// The lines of a streamed answer as a value (`APIPath.call`).
struct StreamedRecords {
    enum Record: Equatable {
        case bytes(Data)
        case result([UInt8])
    }

    private var isComplete = false

    /// - Throws: `CommandFailure`: the call's own, or that the line is none that may come here.
    mutating func take(_ line: LineSplitter.Line) throws -> Record {
        guard !isComplete, case .text(let text) = line else {
            throw CommandFailure("nexusd's answer is not as it should be")
        }
        if let bytes = Self.bytes(in: text) { return .bytes(bytes) }
        guard let record = try? JSONValue(parsing: text, limits: Self.limits)
        else { throw CommandFailure("nexusd's answer is not as it should be") }
        if let failure = APIFailure(record) { throw CommandFailure(failure) }
        guard let result = try? JSONSlice.bytes(at: ["result"], in: text, limits: Self.limits) else {
            throw CommandFailure("nexusd's answer is not as it should be")
        }
        isComplete = true
        return .result(result)
    }

    /// Of a line that is nothing but bytes. Base64 needs no escapes, so none are looked for.
    private static func bytes(in line: [UInt8]) -> Data? {
        guard line.starts(with: head), line.suffix(tail.count) == tail else { return nil }
        return Data(base64Encoded: Data(line[head.count..<line.count - tail.count]))
    }

    private static let (head, tail) = (Array("{\"bytes\":\"".utf8), Array("\"}".utf8)[...])

    /// - Throws: `CommandFailure` if the last record is missing.
    func finish() throws {
        guard isComplete else { throw CommandFailure("the answer was cut off: nexusd sent no result") }
    }

    private static let limits = JSONLimits(bytes: 32 << 20, depth: 66, values: 200_100)
}

/// Where bytes go, as they come.
private final class OutputFile {
    private let path: String?
    private var descriptor: Int32 = -1
    private(set) var count = 0

    /// - Parameter path: nil for standard output. The file is opened with the first bytes: a call that is refused
    ///   leaves it as it was.
    init(path: String?) { self.path = path }

    deinit { if path != nil, descriptor >= 0 { close(descriptor) } }

    /// Waits for whoever reads.
    ///
    /// - Throws: `CommandFailure` if it cannot be written.
    func write(_ data: Data) throws {
        if descriptor < 0 {
            descriptor = path.map { open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) } ?? STDOUT_FILENO
        }
        var rest = data[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                let name = path.map { "--output: \($0)" } ?? "standard output"
                throw CommandFailure("\(name) cannot be written: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(written)
            count += written
        }
    }
}
