import Glibc
import Testing

@testable import Sandbox

@Suite struct SealedMemoryTests {
    @Test func sealedBytesCanBeReadAndNeverChanged() throws {
        let file = try SealedMemory.seal([1, 2, 3], name: "x")
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(pread(file, &bytes, 8, 0) == 3 && bytes.prefix(3) == [1, 2, 3])
        #expect(pwrite(file, [9], 1, 0) == -1 && errno == EPERM)
        #expect(ftruncate(file, 0) == -1 && errno == EPERM)
        #expect(fcntl(file, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
    }
}
