internal import ArgumentParser
internal import Foundation
internal import JSONBytes
internal import Registry

/// `nexus pack`: one file to hand over.
struct PackCommand: AuthorCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Check a plugin and write its bundle, NAME-VERSION.nexus.",
        discussion: "The same plugin gives the same bytes. Install it with: nexus plugin install FILE")

    @Argument(help: ArgumentHelp("The plugin's directory.", valueName: "dir"))
    var directory = "."

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The file to write; by default NAME-VERSION.nexus here.", valueName: "file"))
    var file: String?

    @Flag(help: "Print JSON instead of text.")
    var json = false

    func perform() async throws {
        let project = try PluginProject(directory: directory)
        if let missing = project.missingProgram { throw CommandFailure("nothing was packed: \(missing)") }
        if let file { try Self.checkOutput(ProjectPath.absolute(file), of: project) }
        try Self.checkFresh(project)
        let bundle: PluginBundle
        do {
            bundle = try PluginBundle.load(project.directory)
        } catch {
            let isLong = error.code == .tooLarge && !error.message.contains("strip")
            throw CommandFailure("nothing was packed: \(error.message)\(isLong ? "; strip it: strip --strip-all" : "")")
        }
        let note = try await compare(project)
        let archive = bundle.archive()
        let path = ProjectPath.absolute(file ?? bundle.archiveName)
        try Self.checkOutput(path, of: project)
        do {
            try Data(archive).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure("\(path) cannot be written: \(error.localizedDescription)")
        }
        let digest = PluginBundle.digest(of: archive)
        let packed: JSONValue = [
            "file": .string(path), "bytes": JSONValue(archive.count), "sha256": .string(digest),
            "note": JSONValue(note),
        ]
        output.show(packed) { _ in
            if let note { output.line(note) }
            output.line("\(ProjectPath.shown(path))  \(archive.count) bytes  sha256:\(digest)")
        }
    }

    /// A program that is older than its sources is not what its author means to hand over.
    static func checkFresh(_ project: PluginProject) throws(CommandFailure) {
        let newer = SourceWatch(project.directory, products: [project.program]).newer(than: project.programPath)
        guard let latest = newer.first else { return }
        let others = newer.count > 1 ? " (and \(newer.count - 1) more)" : ""
        throw CommandFailure(
            "nothing was packed: \(latest)\(others) is newer than \(project.program); "
                + "build it first, with `\(project.buildCommand)`")
    }

    /// A bundle may take the place of a bundle, and of nothing else.
    static func checkOutput(_ path: String, of project: PluginProject) throws(CommandFailure) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        for own in [project.manifestPath, project.programPath] {
            var other = stat()
            guard stat(own, &other) == 0, other.st_dev == status.st_dev, other.st_ino == status.st_ino else { continue }
            throw CommandFailure("nothing was packed: \(path) is the plugin's own \(ProjectPath.shown(own))")
        }
        let isFile = status.st_mode & S_IFMT == S_IFREG
        guard isFile, (try? PluginBundle.load(path)) != nil else {
            let what = isFile ? "is there already and is no bundle" : "is not a file"
            throw CommandFailure("nothing was packed: \(path) \(what); name another with --output")
        }
    }

    /// What is packed is what it says: the program's own tools are those of plugin.json.
    private func compare(_ project: PluginProject) async throws -> String? {
        let described: [JSONValue]
        switch try await ToolDescription(project: project).ask() {
        case .tools(let tools): described = tools
        case .none(let reason):
            guard project.language == .other else {
                throw CommandFailure("nothing was packed: \(project.name) does not run: \(reason)")
            }
            return
                "its tools were not compared with plugin.json: \(reason.split(separator: "\n").first ?? "")"
        }
        guard let manifest = try? String(contentsOfFile: project.manifestPath, encoding: .utf8) else {
            throw CommandFailure("\(project.manifestPath) cannot be read")
        }
        let changes = try ManifestTools(manifest: manifest, described: described).changes
        guard changes.isEmpty else {
            throw CommandFailure(
                "nothing was packed: plugin.json and the program differ in their tools "
                    + "(\(changes.joined(separator: "; "))); "
                    + "`nexus dev --once` builds and brings plugin.json up to date")
        }
        return nil
    }
}
