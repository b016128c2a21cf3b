#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A secret that cannot be shown by accident: every rendering is `‹secret›`, it is not Codable, and its memory is
/// overwritten when the last reference goes.
///
/// The bytes are reached only through `withBytes`, a name that a reviewer can search for.
public final class SecretBytes: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let storage: Storage

    /// Copies the bytes; the caller wipes its own.
    public init(copying bytes: some Collection<UInt8>) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
        buffer.copyBytes(from: bytes)
        storage = Storage(buffer: buffer, count: bytes.count, release: { $0.deallocate() })
    }

    /// Takes over memory that holds the bytes at its start.
    ///
    /// - Parameter release: gets the memory back once it is wiped.
    public init(
        adopting buffer: UnsafeMutableRawBufferPointer, count: Int,
        release: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
    ) {
        storage = Storage(buffer: buffer, count: min(count, buffer.count), release: release)
    }

    deinit {
        Self.wipe(storage.buffer)
        storage.release(storage.buffer)
    }

    public var count: Int { storage.count }

    /// Lends the bytes for the duration of `body`. Copies made there are the caller's to wipe.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(rebasing: storage.buffer[..<storage.count]))
    }

    /// Overwrites memory with zeros in a way that is not optimised away (explicit_bzero(3)).
    public static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
    }

    public var description: String { "‹secret›" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Immutable after `init`, so sharing it between threads is sound.
    private struct Storage: @unchecked Sendable {
        let buffer: UnsafeMutableRawBufferPointer
        let count: Int
        let release: @Sendable (UnsafeMutableRawBufferPointer) -> Void
    }
}

/// A credential as it travels: in a field of its own of a call frame, never inside the arguments.
public struct Credential: Sendable {
    public var name: String
    public var value: SecretBytes

    public init(name: String, value: SecretBytes) {
        self.name = name
        self.value = value
    }
}
