internal import Glibc
internal import PluginABI
internal import Synchronization

/// Memory for values of secrets: never written to swap (mlock(2)), in no core file (MADV_DONTDUMP), zeros once free.
///
/// One region, mapped at the first use, in slots of one size: a mapping for each value would cost a page and three
/// system calls each. A value that is longer than a slot, or finds none free, lies in a mapping of its own.
enum LockedMemory {
    /// Bytes. An ordinary user may lock 8 MiB (RLIMIT_MEMLOCK, from Linux 5.16).
    private static let slotBytes = 256
    private static let slots = 1_024

    private struct Pool {
        /// Where the region begins; 0 before there is one.
        var base = 0
        var free: [Int] = []
    }
    private static let pool = Mutex(Pool())

    /// A copy of the bytes there; the caller wipes its own.
    static func secret(copying bytes: UnsafeRawBufferPointer) -> SecretBytes {
        if bytes.count <= slotBytes, let slot = take() {
            slot.copyMemory(from: bytes)
            return SecretBytes(adopting: slot, count: bytes.count) { give($0) }
        }
        let size = max(bytes.count, 1)
        guard let mapped = map(size) else { return SecretBytes(copying: bytes) }
        let buffer = UnsafeMutableRawBufferPointer(start: mapped, count: size)
        buffer.copyMemory(from: bytes)
        return SecretBytes(adopting: buffer, count: bytes.count) { munmap($0.baseAddress, $0.count) }
    }

    private static func take() -> UnsafeMutableRawBufferPointer? {
        let address = pool.withLock { pool -> Int? in
            if pool.base == 0, let base = map(slots * slotBytes) {
                pool.base = Int(bitPattern: base)
                pool.free = Array((0..<slots).reversed())
            }
            guard pool.base != 0, let slot = pool.free.popLast() else { return nil }
            return pool.base + slot * slotBytes
        }
        guard let start = address.flatMap({ UnsafeMutableRawPointer(bitPattern: $0) }) else { return nil }
        return UnsafeMutableRawBufferPointer(start: start, count: slotBytes)
    }

    private static func give(_ slot: UnsafeMutableRawBufferPointer) {
        guard let address = slot.baseAddress.map({ Int(bitPattern: $0) }) else { return }
        pool.withLock { $0.free.append((address - $0.base) / slotBytes) }
    }

    /// Pages of zeros. Locked where the limit lets us: a host that may lock less than it holds goes on.
    private static func map(_ count: Int) -> UnsafeMutableRawPointer? {
        let pages = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages, pages != MAP_FAILED else { return nil }
        mlock(pages, count)
        madvise(pages, count, Int32(MADV_DONTDUMP))
        return pages
    }
}
