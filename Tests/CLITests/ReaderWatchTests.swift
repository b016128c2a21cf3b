import Foundation
import Testing

@testable import nexus

@Suite struct ReaderWatchTests {
    /// Both ends, as pipe(2) and socketpair(2) make them: agents use either for a child's standard output.
    private static func pair(_ make: (inout [Int32]) -> Int32) throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(make(&ends) == 0)
        return (ends[0], ends[1])
    }

    private func isHeard(when ends: (reader: Int32, writer: Int32), act: () -> Void) async -> Bool {
        let (gone, source) = AsyncStream.makeStream(of: Bool.self)
        ReaderWatch.whenGone(ends.writer) { source.yield(true) }
        act()
        defer { close(ends.writer) }
        for await isGone in gone { return isGone }
        return false
    }

    @Test func theEndOfTheReaderOfAPipeIsHeard() async throws {
        let ends = try Self.pair { pipe(&$0) }
        #expect(await isHeard(when: ends) { close(ends.reader) })
    }

    /// What was not read any more does not hide that nobody will.
    @Test func theEndOfTheReaderOfASocketIsHeardBehindWhatItLeftUnread() async throws {
        let ends = try Self.pair { socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &$0) }
        #expect(write(ends.writer, "unread", 6) == 6)
        #expect(await isHeard(when: ends) { close(ends.reader) })
    }

    @Test func aReaderThatIsThereIsNotTakenForGone() async throws {
        let ends = try Self.pair { pipe(&$0) }
        let (gone, source) = AsyncStream.makeStream(of: Bool.self)
        ReaderWatch.whenGone(ends.writer) { source.yield(true) }
        #expect(write(ends.writer, "line", 4) == 4)
        var buffer = [UInt8](repeating: 0, count: 4)
        #expect(read(ends.reader, &buffer, 4) == 4)
        source.yield(false)
        close(ends.reader)
        for await isGone in gone {
            #expect(!isGone)
            break
        }
        // Not before the watch has let go of the descriptor, whose number the next one to open a file gets.
        for await isGone in gone {
            #expect(isGone)
            break
        }
        close(ends.writer)
    }
}
