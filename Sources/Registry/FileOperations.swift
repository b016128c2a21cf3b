internal import Glibc
internal import SystemPackage

/// The few calls that swift-system does not wrap.
enum FileOperations {
    static func rename(_ source: FilePath, to target: FilePath) throws {
        guard Glibc.rename(source.string, target.string) == 0 else { throw Errno(rawValue: errno) }
    }

    static func sync(_ file: FileDescriptor) throws {
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Opens a regular file for reading, and no link in its place. Does not wait for a pipe's writer.
    ///
    /// - Parameter path: in `root`; no part of it may be a link either.
    static func openFile(_ path: FilePath, in root: FilePath) throws -> FileDescriptor {
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        var folder = Glibc.open(root.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Errno(rawValue: errno) }
        let parts = path.components
        for part in parts.dropLast() {
            let next = openat(folder, part.string, flags | O_DIRECTORY)
            let failure = errno
            close(folder)
            guard next >= 0 else { throw Errno(rawValue: failure) }
            folder = next
        }
        let file = openat(folder, parts.last?.string ?? ".", flags)
        let failure = errno
        close(folder)
        guard file >= 0 else { throw Errno(rawValue: failure) }
        return FileDescriptor(rawValue: file)
    }

    /// Opens what a person named, links included. Does not wait for a pipe's writer.
    static func openGiven(_ path: FilePath) throws -> FileDescriptor {
        let file = Glibc.open(path.string, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: file)
    }

    static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        return fstatat(AT_FDCWD, path.string, &status, 0) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether the name is taken, be it by a link that leads nowhere.
    static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return lstat(path.string, &status) == 0
    }

    static func isRegular(_ file: FileDescriptor) -> Bool {
        var status = stat()
        return fstat(file.rawValue, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    static func unlink(_ path: FilePath) { _ = Glibc.unlink(path.string) }

    /// mkdir(2); an existing directory is fine.
    static func makeDirectory(_ path: FilePath, mode: mode_t) throws {
        guard Glibc.mkdir(path.string, mode) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    }
}
