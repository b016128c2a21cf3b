internal import Foundation

/// What a project's sources looked like at one moment: size and time of each file. Only what a plugin is made of
/// counts: logs, bundles and notes beside it may change while it is watched.
struct SourceWatch: Equatable {
    private struct Stamp: Equatable {
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }
    private var stamps: [String: Stamp] = [:]

    /// In the project's directory.
    static let files = ["plugin.json", "Package.swift", "pyproject.toml", "conformance.json"]
    /// With everything below them.
    static let folders = ["src", "Sources", "Tests", "tests"]
    /// In words, for people.
    static let shown = "\(files.joined(separator: ", ")) and what is in \(folders.joined(separator: "/, "))/"

    /// Folders that builds and tests write.
    static let ignored: Set<String> = ["dist", "build", "__pycache__", "node_modules"]

    /// - Parameter products: files that the build writes, relative to the directory.
    init(_ directory: String, products: Set<String> = []) {
        for path in Self.files + Self.folders { collect(directory, path, products) }
    }

    private mutating func collect(_ root: String, _ path: String, _ products: Set<String>) {
        var status = stat()
        guard !products.contains(path), lstat("\(root)/\(path)", &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            let time = status.st_mtim
            stamps[path] = Stamp(size: Int64(status.st_size), seconds: time.tv_sec, nanoseconds: time.tv_nsec)
            return
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(path)")) ?? []
        for name in names
        where !name.hasPrefix(".") && !Self.ignored.contains(name) && !name.hasSuffix(".new")
            && !name.hasSuffix(".nexus")
        {
            collect(root, "\(path)/\(name)", products)
        }
    }

    /// Files that a program is made of and that were written after it, the latest first. Tests, and the manifest, which
    /// the build itself brings up to date, make no program.
    func newer(than program: String) -> [String] {
        var status = stat()
        guard stat(program, &status) == 0 else { return [] }
        let time = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        return stamps.filter { path, stamp in
            let part = path.split(separator: "/")[0]
            return !["plugin.json", "conformance.json", "Tests", "tests"].contains(part)
                && (stamp.seconds, stamp.nanoseconds) > time
        }.sorted { ($0.value.seconds, $0.value.nanoseconds, $1.key) > ($1.value.seconds, $1.value.nanoseconds, $0.key) }
            .map(\.key)
    }

    /// Files that are new, gone or different since `earlier`, sorted.
    func changes(since earlier: SourceWatch) -> [String] {
        Set(stamps.keys).union(earlier.stamps.keys).filter { stamps[$0] != earlier.stamps[$0] }.sorted()
    }

    /// Takes one file as it is in `later`: we wrote it ourselves.
    mutating func accept(_ path: String, from later: SourceWatch) {
        stamps[path] = later.stamps[path]
    }
}
