import CJail
import Glibc
import PluginABI
import Testing

@testable import PluginSDK

/// Which descriptor belongs to which frame, on a real socketpair (abi-v1.md, ABI-7.22).
@Suite struct PassedDescriptorsTests {
    private let host: Int32
    private let plugin: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        (host, plugin) = (ends[0], ends[1])
    }

    private func frame(_ nonce: UInt64) -> [UInt8] { Message.pong(nonce: nonce).frame().encoded() }

    private func put(_ nonce: UInt64, passing descriptor: Int32? = nil) throws {
        let bytes = frame(nonce)
        guard let descriptor else { return try #require(write(host, bytes, bytes.count) == bytes.count) }
        try #require(cjail_pass(host, bytes, bytes.count, descriptor) == bytes.count)
    }

    private func identity(_ descriptor: Int32) -> UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// The numbers of the frames, in order, and the inodes of what came with each.
    private func read(_ count: Int, pieces: Int) throws -> [(nonce: UInt64, inode: UInt64?)] {
        var passed = PassedDescriptors()
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: pieces, alignment: 1)
        defer { chunk.deallocate() }
        var found: [(nonce: UInt64, inode: UInt64?)] = []
        while found.count < count {
            let taken = passed.receive(from: plugin, into: chunk)
            try #require(taken > 0)
            decoder.append(UnsafeRawBufferPointer(rebasing: chunk[..<taken]))
            while let frame = try decoder.next() {
                passed.drop()
                passed.delivered(frame)
                guard case .pong(let nonce) = try Message(frame) else { continue }
                let descriptor = passed.take()
                found.append((nonce, descriptor.map(identity)))
                if let descriptor { close(descriptor) }
            }
        }
        return found
    }

    /// Frames without one before it and after it, in one read and in many: it stays with its own.
    @Test(arguments: [1, 2, 3, 7, 16, 25, 26, 27, 60, 65_536])
    func descriptorBelongsToItsFrameHoweverTheBytesAreCut(pieces: Int) throws {
        defer {
            close(host)
            close(plugin)
        }
        var ends: [Int32] = [-1, -1]
        try #require(cjail_pipe(&ends) == 0)
        try put(1)
        try put(2)
        try put(3, passing: ends[0])
        try put(4)
        try put(5, passing: ends[1])
        try put(6, passing: ends[0])
        let found = try read(6, pieces: pieces)
        let (first, second) = (identity(ends[0]), identity(ends[1]))
        #expect(found.map(\.nonce) == [1, 2, 3, 4, 5, 6])
        #expect(found.map(\.inode) == [nil, nil, first, nil, second, first])
        for end in ends { close(end) }
    }

    @Test func whatNobodyTakesIsClosed() throws {
        defer {
            close(host)
            close(plugin)
        }
        var ends: [Int32] = [-1, -1]
        try #require(cjail_pipe(&ends) == 0)
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        try put(1, passing: ends[1])
        try put(2, passing: ends[1])
        close(ends[1])
        do {
            var passed = PassedDescriptors()
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 26, alignment: 1)
            defer { chunk.deallocate() }
            #expect(passed.receive(from: plugin, into: chunk) == 26)
            passed.delivered(Message.pong(nonce: 1).frame())
            #expect(passed.receive(from: plugin, into: chunk) == 26)
            var byte: UInt8 = 0
            #expect(Glibc.read(ends[0], &byte, 1) < 0 && errno == EAGAIN, "both are held")
        }
        var byte: UInt8 = 0
        #expect(Glibc.read(ends[0], &byte, 1) == 0, "neither is")
        close(ends[0])
    }
}
