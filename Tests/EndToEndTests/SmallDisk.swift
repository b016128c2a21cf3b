import Foundation

/// A file system of some megabytes that a test fills and empties. Mounting takes root; without it, that fails.
final class SmallDisk {
    let path: String

    init(megabytes: Int) throws {
        path = "/tmp/nexus-e2e-disk-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // So many files that one may always be made: what is full are the blocks.
        let options = "size=\(megabytes)m,mode=1777,nr_inodes=100000"
        let mounted = try Program.run(["/usr/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", path])
        guard mounted.status == 0 else { throw Failure("tmpfs on \(path): \(mounted)") }
    }

    deinit {
        _ = try? Program.run(["/usr/bin/umount", "-l", path])
        rmdir(path)
    }

    var home: String { "\(path)/home" }

    /// Takes all the room that there is, but for so many pages.
    func fill(leaving pages: Int = 0) throws {
        let file = open("\(path)/ballast", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw Failure("\(path)/ballast: errno \(errno)") }
        defer { close(file) }
        for size in [1 << 16, 1 << 12, 1] {
            let bytes = [UInt8](repeating: 0, count: size)
            while write(file, bytes, size) > 0 {}
        }
        guard errno == ENOSPC else { throw Failure("\(path) is not full: errno \(errno)") }
        ftruncate(file, lseek(file, 0, SEEK_END) - off_t(pages * 4_096))
    }

    func empty() { unlink("\(path)/ballast") }
}
