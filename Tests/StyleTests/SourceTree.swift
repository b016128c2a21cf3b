import Foundation

/// The repository as text: what a clean clone holds, without build products.
enum SourceTree {
    struct File: Sendable {
        /// Relative to the repository's root.
        let path: String
        let text: String
        let lines: [String]

        init(path: String, text: String) {
            self.path = path
            self.text = text
            lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(Substring($0)) }
        }

        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
        func isIn(_ folders: [String]) -> Bool { folders.contains { path.hasPrefix($0 + "/") } }
    }

    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Folders and files that belong to the project. Anything else at the top is somebody's own.
    private static let places = [
        "Package.swift", "Makefile", "README.md", ".swift-format", ".ci", "Sources", "sdk", "Plugins", "Tests", "docs",
        "scripts",
    ]
    private static let skipped: Set<String> = [".build", ".git", "bin", "__pycache__", ".venv"]

    /// Every text file.
    static let files: [File] = places.flatMap { walk($0) }.sorted { $0.path < $1.path }

    static func files(_ extensions: String..., in folders: [String]? = nil) -> [File] {
        files.filter { file in
            extensions.contains { file.path.hasSuffix("." + $0) } && (folders.map(file.isIn) ?? true)
        }
    }

    static func file(_ path: String) -> File? { files.first { $0.path == path } }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    private static func walk(_ path: String) -> [File] {
        let place = root.appendingPathComponent(path)
        // A link shows again what stands elsewhere.
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: place.path)) != nil { return [] }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) else { return [] }
        guard isFolder.boolValue else {
            guard let text = try? String(contentsOf: place, encoding: .utf8) else { return [] }
            return [File(path: path, text: text)]
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
        return names.filter { !skipped.contains($0) }.flatMap { walk("\(path)/\($0)") }
    }
}
