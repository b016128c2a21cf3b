internal import Foundation

/// A blocking source as a sequence of pieces, each read only once the one before it has been taken: while the front is
/// full nothing is read, so that the pipe fills and the client waits. The thread that reads may stay blocked in read(2)
/// when the sequence is dropped; the sequence itself ends at once.
struct PacedInput: AsyncSequence, Sendable {
    private let pieces: AsyncStream<[UInt8]>
    private let wanted: DispatchSemaphore

    /// - Parameter read: waits for bytes; none at the end of the input.
    init(read: @escaping @Sendable () -> [UInt8]) {
        let (pieces, source) = AsyncStream.makeStream(of: [UInt8].self)
        let wanted = DispatchSemaphore(value: 0)
        self.pieces = pieces
        self.wanted = wanted
        Thread.detachNewThread {
            while true {
                wanted.wait()
                let bytes = read()
                guard !bytes.isEmpty, case .enqueued = source.yield(bytes) else { break }
            }
            source.finish()
        }
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var pieces: AsyncStream<[UInt8]>.Iterator
        fileprivate let wanted: DispatchSemaphore

        mutating func next() async -> [UInt8]? {
            wanted.signal()
            return await pieces.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: pieces.makeAsyncIterator(), wanted: wanted) }
}
