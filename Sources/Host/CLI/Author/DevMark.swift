internal import Foundation

/// A file in a home that says: `nexus dev` made this. It is locked while that `nexus dev` runs, and the kernel unlocks
/// it however that ends; so a marked home without a lock was left behind, and the next `nexus dev` may clean it up.
final class DevMark {
    static let name = "nexus-dev"
    private let file: Int32

    private init(file: Int32) { self.file = file }
    deinit { close(file) }

    /// Marks a home that was just made; nil if that cannot be done.
    static func make(in home: String) -> DevMark? { lock("\(home)/\(name)", O_CREAT | O_EXCL) }

    /// The mark of a home that was left behind; nil if there is none, or if its `nexus dev` runs.
    static func take(in home: String) -> DevMark? { lock("\(home)/\(name)", 0) }

    private static func lock(_ path: String, _ flags: Int32) -> DevMark? {
        let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0o600)
        guard file >= 0 else { return nil }
        let mark = DevMark(file: file)
        return flock(file, LOCK_EX | LOCK_NB) == 0 ? mark : nil
    }

    /// The plugin that `nexus dev` installed there.
    var plugin: String? {
        get {
            let text = ScratchFile.text(file, limit: 256)
            return text.isEmpty ? nil : text
        }
        set {
            let bytes = Array((newValue ?? "").utf8)
            guard ftruncate(file, 0) == 0 else { return }
            _ = pwrite(file, bytes, bytes.count, 0)
        }
    }
}
