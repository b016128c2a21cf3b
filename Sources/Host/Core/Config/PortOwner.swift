internal import Glibc

/// Who listens on a port of this machine, as far as /proc tells us (proc(5)).
public enum PortOwner {
    /// For example `process 812 (nginx)`, or the user id where the process is hidden from us.
    public static func describe(port: Int) -> String {
        guard let socket = listener(port: port) else { return "another process" }
        for process in entries("/proc") where process.allSatisfy(\.isNumber) {
            let folder = "/proc/\(process)/fd"
            for descriptor in entries(folder) where link("\(folder)/\(descriptor)") == "socket:[\(socket.inode)]" {
                let name = FileBytes.text("/proc/\(process)/comm", limit: 64) ?? "?"
                return "process \(process) (\(name))"
            }
        }
        return "a process of uid \(socket.uid)"
    }

    private static func listener(port: Int) -> (inode: String, uid: String)? {
        guard (1...65_535).contains(port) else { return nil }
        let hex = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let file = fopen(table, "r") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            while fgets(&line, Int32(line.count), file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let fields = text.split(separator: " ")
                // local address, state 0A (listening), uid, inode
                if fields.count > 9, fields[1].hasSuffix(suffix), fields[3] == "0A" {
                    return (String(fields[9]), String(fields[7]))
                }
            }
        }
        return nil
    }

    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
