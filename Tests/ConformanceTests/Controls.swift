import Conformance
import Glibc
import JSONBytes

/// The wrong plugins of sdk/conformance/controls.
enum Controls {
    struct Mode: Sendable {
        var name: String
        var requirement: String
        var consequences: [String]
    }

    /// The repository, found from this file, also where the folder is a link.
    static let root: String = {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        guard let real = realpath("/" + folder, nil) else { return "." }
        defer { free(real) }
        return "/" + String(cString: real).split(separator: "/").dropLast(2).joined(separator: "/")
    }()
    static var folder: String { root + "/sdk/conformance/controls" }

    static func text(_ name: String) throws -> String { try bytes(folder + "/" + name) }

    static func bytes(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { text += buffer.prefix(count) }
        return String(decoding: text, as: UTF8.self)
    }

    struct Missing: Error { var path: String }

    static let modes: [Mode] = {
        guard let text = try? text("controls.json"), let list = try? JSONValue(parsing: text) else { return [] }
        return (list["modes"]?.arrayValue ?? []).compactMap { mode in
            guard let name = mode["mode"]?.stringValue, let requirement = mode["requirement"]?.stringValue else {
                return nil
            }
            let others = mode["consequences"]?.arrayValue ?? []
            return Mode(name: name, requirement: requirement, consequences: others.compactMap(\.stringValue))
        }
    }()

    static func run(_ mode: String, limits: KitLimits, only: [String] = []) async throws -> ConformanceReport {
        var options = ConformanceRun.Options()
        options.limits = limits
        options.only = only
        let command = ["/usr/bin/python3", "-I", "-B", "-S", folder + "/wrong.py", mode]
        let plugin = PluginUnderTest.command(command, manifest: folder + "/plugin.json")
        return try await ConformanceRun(plugin: plugin, options: options).run()
    }
}
