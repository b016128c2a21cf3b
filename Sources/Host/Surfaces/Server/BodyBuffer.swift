internal import NIOCore
internal import PluginABI

/// Collects a request's body in memory that can be wiped. What it outgrows is overwritten, and so is what NIO read once
/// it is copied: these buffers go back to the allocator as they are, and a body may be a credential.
struct BodyBuffer: ~Copyable {
    /// In bytes, at the start.
    private static let capacity = 4 << 10
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.capacity, alignment: 16)
    private(set) var count = 0

    init() {}

    deinit {
        SecretBytes.wipe(memory)
        memory.deallocate()
    }

    /// Copies what is readable in the part, and overwrites it there: nobody may read the part, or a copy of it, later.
    mutating func take(_ part: ByteBuffer) {
        part.withUnsafeReadableBytes { bytes in
            grow(to: count + bytes.count)
            UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
            count += bytes.count
            // In place, whoever else holds the buffer: writing through it would only change a copy.
            SecretBytes.wipe(UnsafeMutableRawBufferPointer(mutating: bytes))
        }
    }

    /// What was collected, without a copy.
    consuming func finish() -> SecretBytes {
        let (memory, count) = (memory, count)
        discard self
        return SecretBytes(adopting: memory, count: count) { $0.deallocate() }
    }

    private mutating func grow(to needed: Int) {
        guard needed > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, memory.count * 2), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        SecretBytes.wipe(memory)
        memory.deallocate()
        memory = larger
    }
}
