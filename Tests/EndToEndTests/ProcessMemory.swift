import Foundation
import Glibc
import Testing

/// The memory of another process, as a core of it would have it, and what no core has: pages marked not to be dumped.
/// It takes root: nexusd and plugins are not dumpable.
struct ProcessMemory {
    let process: Int32

    /// Which of these stand anywhere in it.
    func found(_ needles: [String: [UInt8]]) throws -> Set<String> {
        let file = open("/proc/\(process)/mem", O_RDONLY)
        try #require(file >= 0, "the memory of process \(process) cannot be read; run this as root")
        defer { close(file) }
        let longest = needles.values.map(\.count).max() ?? 0
        var found: Set<String> = []
        var chunk = [UInt8](repeating: 0, count: 4 << 20)
        for (start, end) in try mappings() {
            var place = start
            while place < end {
                let count = pread(file, &chunk, min(chunk.count, Int(end - place)), Int(bitPattern: place))
                // A page that cannot be read, such as a guard: go on behind it.
                guard count > 0 else {
                    place += 4_096
                    continue
                }
                for (name, needle) in needles where !found.contains(name) && Self.holds(chunk, count, needle) {
                    found.insert(name)
                }
                guard place + UInt(count) < end else { break }
                place += UInt(max(count - longest, 1))
            }
        }
        return found
    }

    private static func holds(_ chunk: [UInt8], _ count: Int, _ needle: [UInt8]) -> Bool {
        chunk.withUnsafeBytes { chunk in
            guard let start = chunk.baseAddress, let first = needle.first else { return false }
            var place = 0
            while place + needle.count <= count,
                let hit = memchr(start + place, Int32(first), count - needle.count - place + 1)
            {
                if memcmp(hit, needle, needle.count) == 0 { return true }
                place = UnsafeRawPointer(hit) - start + 1
            }
            return false
        }
    }

    private func mappings() throws -> [(UInt, UInt)] {
        try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n").compactMap { line in
            let columns = line.split(separator: " ", omittingEmptySubsequences: true)
            let ends = columns[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            // What a process has written, and files that it only reads: not the kernel's pages.
            guard ends.count == 2, columns[1].hasPrefix("r"), !line.hasSuffix("[vvar]"), !line.hasSuffix("[vsyscall]"),
                !line.hasSuffix("[vvar_vclock]")
            else { return nil }
            return (ends[0], ends[1])
        }
    }
}
