import Glibc
import JSONBytes
import PluginABI
import Testing

@testable import PluginSDK

/// The attack: read the plugin's memory after a call and look for the credential that the call carried.
@Suite(.serialized) struct MemoryScanTests {
    @Test func noCopyOfACredentialOutlivesItsCall() throws {
        // Random, so that no literal of it is in the program; `needle` is the one copy that may be found. Long, so that
        // memory which was freed as it is does not serve the next small need before the scan comes.
        let needle = Self.needle()
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { ends.forEach { close($0) } }
        put(.welcome(version: 1, instance: "test-1", bodyLimit: 1 << 20), on: ends[0])
        put(.initialize(configuration: Array("{}".utf8)), on: ends[0])
        put(.start, on: ends[0])
        put(.call(.test("act", credentials: [Credential(name: "api_key", value: needle)])), stream: 1, on: ends[0])
        var wasFoundDuringTheCall = false
        let plugin = Plugin(name: "sample")
        plugin.tool("act") { call in
            let secret = try call.credential("api_key")
            wasFoundDuringTheCall = try self.copies(of: needle) > 0 && secret.count == needle.count
            put(.result(Message.Payload(["status": 200])), stream: 2, on: ends[0])
            put(.stop(deadline: .max), on: ends[0])
            put(.dispose, on: ends[0])
            _ = try call.http(
                HTTPRequest(
                    endpoint: "exchange", path: "/", headers: [("X-Key", .credential("api_key", after: "Bearer "))]))
            return .json([:])
        }
        try PluginMain.serve(plugin, descriptor: ends[1])
        #expect(wasFoundDuringTheCall, "the scan finds nothing at all")
        #expect(try copies(of: needle) == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func noCopyOutlivesACallOfAnAsynchronousTool() async throws {
        let needle = Self.needle()
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (host, end) = (ends[0], ends[1])
        defer { ends.forEach { close($0) } }
        put(.welcome(version: 1, instance: "test-1", bodyLimit: 1 << 20), on: host)
        put(.initialize(configuration: Array("{}".utf8)), on: host)
        put(.start, on: host)
        put(.call(.test("act", credentials: [Credential(name: "api_key", value: needle)])), stream: 1, on: host)
        let (found, report) = AsyncStream.makeStream(of: Bool.self)
        try HostThread { answer(host) }.run()
        try HostThread {
            let plugin = Plugin(name: "sample")
            plugin.asyncTool("act") { call in
                let secret = try call.credential("api_key")
                report.yield(try copies(of: needle) > 0 && secret.count == needle.count)
                _ = try await call.http(
                    HTTPRequest(
                        endpoint: "e", path: "/", headers: [("X-Key", .credential("api_key", after: "Bearer "))]))
                return .json([:])
            }
            report.yield((try? PluginMain.serve(plugin, descriptor: end)) != nil)
            report.finish()
        }.run()
        var seen: [Bool] = []
        for await flag in found { seen.append(flag) }
        #expect(seen == [true, true], "the scan finds nothing at all, or the session did not end well")
        #expect(try copies(of: needle) == 0)
    }

    @Test func frameThatWaitedInTheOutboxIsOverwrittenOnceItIsSent() throws {
        let needle = Self.needle()
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { ends.forEach { close($0) } }
        let link = SocketLink(descriptor: ends[1])
        try link.share()
        // More than a socket holds, so that the frame behind it has to wait.
        try link.send(Frame(kind: .log, body: [UInt8](repeating: 0, count: 1 << 20)))
        var frame = Frame(kind: .log, body: needle.withBytes { Array($0) })
        try link.send(frame)
        frame.body.wipe()
        #expect(try copies(of: needle) > 0, "the frame did not wait")
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { chunk.deallocate() }
        var left = (1 << 20) + needle.count + 2 * ABILimits.headerBytes
        while left > 0 {
            left -= max(0, recv(ends[0], chunk.baseAddress, chunk.count, Int32(MSG_DONTWAIT)))
            SecretBytes.wipe(chunk)
            guard case .nothingYet = try link.receive(before: 0) else { return #expect(Bool(false), "a frame") }
        }
        #expect(try copies(of: needle) == 0)
    }

    /// A host that answers requests and ends the session after the first call; it keeps nothing of what it reads.
    private func answer(_ end: Int32) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { chunk.deallocate() }
        while recv(end, chunk.baseAddress, ABILimits.headerBytes, Int32(MSG_WAITALL)) == ABILimits.headerBytes {
            let length = Int(chunk.loadUnaligned(as: UInt32.self))
            let kind = FrameKind(rawValue: chunk[4])
            let stream = chunk.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            if length > 0 { _ = recv(end, chunk.baseAddress, length, Int32(MSG_WAITALL)) }
            SecretBytes.wipe(chunk)
            switch kind {
            case .hostCall: put(.result(Message.Payload(["status": 200])), stream: stream, on: end)
            case .result, .error: put(.stop(deadline: .max), on: end)
            case .stopped: put(.dispose, on: end)
            case .disposed: return
            default: break
            }
        }
    }

    /// The one copy that may be found: that of which it is made is overwritten.
    private static func needle() -> SecretBytes {
        var bytes = (0..<12_000).map { _ in UInt8.random(in: 0x21...0x7E) }
        defer { bytes.wipe() }
        return SecretBytes(copying: bytes)
    }

    private func put(_ message: Message, stream: UInt64 = 0, on descriptor: Int32) {
        var frame = message.frame(stream: stream)
        var bytes = frame.encoded()
        _ = write(descriptor, bytes, bytes.count)
        bytes.wipe()
        frame.body.wipe()
    }

    /// How often the bytes occur in this process's writable memory, besides where `needle` itself keeps them.
    private func copies(of needle: SecretBytes) throws -> Int {
        let memory = open("/proc/self/mem", O_RDONLY)
        try #require(memory >= 0)
        defer { close(memory) }
        let window = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer {
            // What it has read of other memory must not be found there by the next scan.
            SecretBytes.wipe(window)
            window.deallocate()
        }
        return try needle.withBytes { whole in
            let wanted = UnsafeRawBufferPointer(rebasing: whole[6_000..<6_032])
            var count = 0
            for region in try writableRegions() {
                var start = region.lowerBound
                while start < region.upperBound {
                    let length = min(window.count, region.upperBound - start)
                    let got = pread(memory, window.baseAddress, length, start)
                    if got > wanted.count {
                        let own = [whole, UnsafeRawBufferPointer(window)].compactMap { buffer in
                            buffer.baseAddress.map { Int(bitPattern: $0)..<Int(bitPattern: $0) + buffer.count }
                        }
                        let hits = offsets(of: wanted, in: UnsafeRawBufferPointer(rebasing: window[..<got]))
                        count += hits.count { hit in !own.contains { $0.contains(start + hit) } }
                    }
                    // Windows overlap, so that no copy hides in a seam.
                    start += length < window.count ? length : length - wanted.count
                }
            }
            SecretBytes.wipe(window)
            return count
        }
    }

    private func offsets(of wanted: UnsafeRawBufferPointer, in window: UnsafeRawBufferPointer) -> [Int] {
        guard let base = window.baseAddress, let pattern = wanted.baseAddress else { return [] }
        var found: [Int] = []
        var offset = 0
        while offset + wanted.count <= window.count,
            let hit = memchr(base + offset, Int32(wanted[0]), window.count - wanted.count + 1 - offset)
        {
            offset = UnsafeRawPointer(hit) - base
            if memcmp(hit, pattern, wanted.count) == 0 { found.append(offset) }
            offset += 1
        }
        return found
    }

    private func writableRegions() throws -> [Range<Int>] {
        let file = try #require(fopen("/proc/self/maps", "r"))
        defer { fclose(file) }
        var regions: [Range<Int>] = []
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(separator: " ")
            let bounds = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            if words[1].hasPrefix("rw"), bounds.count == 2 { regions.append(bounds[0]..<bounds[1]) }
        }
        return regions
    }
}
