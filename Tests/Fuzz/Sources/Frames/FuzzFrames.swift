// Input: a byte that chooses the limit, a byte with the number of piece lengths, those lengths, then the stream.
internal import Findings
internal import PluginABI

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let bodyLimit = [0, 64, ABILimits.handshakeBodyBytes, ABILimits.bodyBytes][Int(input.byte() % 4)]
    let lengths = input.bytes(Int(input.byte() % 16)).map { Int($0) + 1 }
    let stream = Array(input.rest)
    let expected = FrameOracle(stream, bodyLimit: bodyLimit)
    let bound = FrameRun.perByte
    let run = withBoundedAllocations(input: count, perByte: bound) { FrameRun(stream, bodyLimit, pieces: lengths) }
    insist(run.frames == expected.frames, "the frames depend on how the stream is cut, or are wrong")
    insist(run.failure?.code == expected.failure, "\(String(describing: run.failure)) is not the error")
    insist(run.failure != nil || run.pending == stream.count - expected.end, "\(run.pending) bytes are pending")
    let again = run.frames.flatMap { $0.encoded() }
    insist(again[...] == stream[..<expected.end], "the frames encode to other bytes")
    plantedBug(run.frames)
    return 0
}

/// Found in under a minute, or the fuzzing is worth nothing: `Tests/Fuzz/run --self-check`.
private func plantedBug(_ frames: [Frame]) {
    #if PLANTED_BUG
        guard frames.count == 2 else { return }
        step()
        insist(frames[1].kind != .cancel, "the planted bug")
    #endif
}

/// One decoder, fed with a stream in pieces.
struct FrameRun {
    /// Bytes that may be asked for in all, for each byte of input: pieces of one byte, and memory that doubles.
    static let perByte = 256

    private(set) var frames: [Frame] = []
    private(set) var failure: ABIError?
    private(set) var pending = 0

    init(_ stream: [UInt8], _ bodyLimit: Int, pieces: [Int]) {
        var decoder = FrameDecoder(bodyLimit: bodyLimit)
        var position = 0
        var piece = 0
        while position < stream.count, failure == nil {
            let length = pieces.isEmpty ? stream.count : pieces[piece % pieces.count]
            let end = min(position + length, stream.count)
            decoder.append(stream[position..<end])
            position = end
            piece += 1
            do throws(ABIError) {
                // Frames are copied out or lent, by turns.
                if piece % 2 == 0 {
                    while let frame = try decoder.next() { frames.append(frame) }
                } else {
                    while let frame = try decoder.next({ Self.copied($0, $1) }) { frames.append(frame) }
                }
                insist(decoder.pendingBytes < ABILimits.headerBytes + bodyLimit, "more is kept than one frame")
            } catch {
                failure = error
            }
        }
        pending = decoder.pendingBytes
        if let failure { Self.expect(failure, of: &decoder) }
    }

    private static func copied(_ header: FrameHeader, _ body: RawSpan) -> Frame {
        insist(header.length == body.byteCount, "\(body.byteCount) bytes are lent as \(header.length)")
        return Frame(kind: header.kind, stream: header.stream, body: body.withUnsafeBytes { Array($0) })
    }

    /// After an error, whatever comes: the same error, and nothing is stored.
    private static func expect(_ failure: ABIError, of decoder: inout FrameDecoder) {
        for bytes in [[], Frame(kind: .start).encoded()] {
            decoder.append(bytes)
            do throws(ABIError) {
                _ = try decoder.next()
                insist(false, "the decoder goes on after \(failure)")
            } catch {
                insist(error == failure, "\(error) comes after \(failure)")
            }
            insist(decoder.pendingBytes == 0, "bytes are stored after an error")
        }
    }
}
