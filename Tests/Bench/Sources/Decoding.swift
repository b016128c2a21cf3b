internal import CAllocations
internal import Glibc
internal import JSONBytes
internal import PluginABI

/// Bytes from a plugin to frames, in reads of 64 KiB as the host makes them, beside memcpy(3) of the same bytes.
struct Decoding {
    private static let readBytes = 1 << 16
    private static let totalBytes = 1 << 24
    private let large = Self.stream(ofFrames: 4_096)
    private let small = Self.stream(ofFrames: 64)

    /// Nanoseconds for each whole stream, and allocations for all small frames after the first read.
    func run(_ rounds: Int) throws -> JSONObject {
        var samples: [String: [Int]] = [:]
        var allocations: Int?
        for round in -1..<rounds {
            let times = [
                ("copied", copy(large)), ("frames-of-4-kib", try time { try frames(large).taken }),
                ("data-messages-of-4-kib", try time { try messages(large) }),
                ("frames-of-64-bytes", try time { try frames(small).taken }),
                ("messages-of-64-bytes", try time { try messages(small) }),
            ]
            let counted = try frames(small).allocations
            allocations = max(allocations ?? 0, counted)
            guard round >= 0 else { continue }
            for (name, time) in times { samples[name, default: []].append(time) }
        }
        return JSONObject(
            [
                ("bytes", JSONValue(large.count)), ("large-frames", JSONValue(large.count / 4_096)),
                ("small-frames", JSONValue(small.count / 64)), ("allocations", JSONValue(allocations ?? -1)),
            ] + samples.sorted { $0.key < $1.key }.map { ($0.key, list($0.value)) })
    }

    /// Progress in small frames, data in large ones: `size` bytes each with their headers.
    private static func stream(ofFrames size: Int) -> [UInt8] {
        let text = String(repeating: "x", count: 14)
        let message =
            size == 64
            ? Message.progress(Message.Progress(done: 1, total: 2, message: text))
            : Message.data([UInt8](repeating: 0x78, count: size - 22))
        let frame = message.frame(stream: 1).encoded()
        guard frame.count == size else { return [] }
        return Array(repeatElement(frame, count: totalBytes / size).joined())
    }

    private func time(_ body: () throws -> Int) throws -> Int {
        let start = nanoseconds()
        let frames = try body()
        let time = nanoseconds() - start
        guard frames > 0 else { throw BenchFailure("no frames were decoded") }
        return time
    }

    /// What memory alone costs. The target is looked at, so that the copies are not left out.
    private func copy(_ stream: [UInt8]) -> Int {
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.readBytes, alignment: 16)
        defer { target.deallocate() }
        var seen = 0
        let start = nanoseconds()
        Self.reads(of: stream) {
            if let to = target.baseAddress, let from = $0.baseAddress { memcpy(to, from, $0.count) }
            seen += Int(target[$0.count - 1])
        }
        return seen > 0 ? nanoseconds() - start : 0
    }

    /// Every frame is lent and its bytes are counted, but not touched.
    private func frames(_ stream: [UInt8]) throws -> (taken: Int, allocations: Int) {
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        var frames = 0
        var bytes = 0
        var isFirst = true
        defer { _ = allocations_rest() }
        try Self.reads(of: stream) {
            decoder.append($0)
            while let count = try decoder.next({ (_, body) in body.byteCount }) {
                frames += 1
                bytes += count + ABILimits.headerBytes
            }
            if isFirst { allocations_watch(.max) }
            isFirst = false
        }
        let counted = allocations_rest().number
        guard bytes == stream.count else { throw BenchFailure("\(bytes) of \(stream.count) bytes were decoded") }
        return (frames, Int(counted))
    }

    private func messages(_ stream: [UInt8]) throws -> Int {
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        var messages = 0
        try Self.reads(of: stream) {
            decoder.append($0)
            while let kind = try decoder.next({ (header, body) throws(ABIError) in try Message(header.kind, body).kind }
            ) {
                messages += kind == .data || kind == .progress ? 1 : 0
            }
        }
        return messages
    }

    private static func reads(of stream: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try stream.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: readBytes) {
                try body(UnsafeRawBufferPointer(rebasing: all[start..<min(start + readBytes, all.count)]))
            }
        }
    }
}
