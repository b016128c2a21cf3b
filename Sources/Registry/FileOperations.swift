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

    static func unlink(_ path: FilePath) { _ = Glibc.unlink(path.string) }

    /// mkdir(2); an existing directory is fine.
    static func makeDirectory(_ path: FilePath, mode: mode_t) throws {
        guard Glibc.mkdir(path.string, mode) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    }
}
