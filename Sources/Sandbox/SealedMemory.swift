import CJail
import Glibc

/// Memory files that nobody can change any more (memfd_create(2), F_ADD_SEALS in fcntl(2)). A program is executed from
/// one, so that what was hashed is what runs.
public enum SealedMemory {
    /// Copies `bytes` into a sealed memory file with close-on-exec.
    ///
    /// - Returns: a descriptor that the caller owns and closes.
    /// - Throws: `JailError.Code.system`.
    public static func seal(_ bytes: [UInt8], name: String) throws(JailError) -> Int32 {
        try make(bytes, name: name, executable: true)
    }

    static func make(_ bytes: [UInt8], name: String, executable: Bool) throws(JailError) -> Int32 {
        let fd = cjail_memfd(name, executable ? 1 : 0)
        guard fd >= 0 else { throw .system("memory file \(name) could not be made", -fd) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(fd, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let error = JailError.system("memory file \(name) could not be filled", errno)
                close(fd)
                throw error
            }
            written += count
        }
        let sealed = cjail_seal(fd)
        guard sealed == 0 else {
            close(fd)
            throw .system("memory file \(name) could not be sealed", -sealed)
        }
        return fd
    }
}

/// A program in sealed memory, for any number of jails: they share its pages, and none is copied again.
public final class SealedProgram: Sendable {
    /// For `JailDescriptors.executable`; closed with the last reference.
    public let descriptor: Int32

    /// - Throws: `JailError.Code.system`.
    public init(_ bytes: [UInt8], name: String) throws(JailError) {
        descriptor = try SealedMemory.seal(bytes, name: name)
    }

    deinit { close(descriptor) }
}
