internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import PluginABI
internal import Registry

/// One time from sources to a running plugin: build, describe, install, start.
struct DevRound {
    let project: PluginProject
    let command: String?
    let says: DevOutput

    /// - Returns: the bundle, with the tools of plugin.json as the program describes them.
    func build() async throws -> PluginBundle {
        let build = ProjectBuild(project: project, command: command)
        says.note("building", "building: \(build.shown)")
        let begin = ContinuousClock.now
        let warnings = try await build.run()
        if !warnings.isEmpty { says.words(warnings) }
        let duration = ContinuousClock.now - begin
        let seconds =
            Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        says.note("built", "built \(project.program) in \(String(format: "%.1f", seconds)) s")
        try await describe()
        return try Self.load(project)
    }

    /// Brings `tools` in plugin.json up to date.
    private func describe() async throws {
        let described: [JSONValue]
        switch try await ToolDescription(project: project).ask() {
        case .tools(let tools): described = tools
        case .none(let reason):
            // A plugin without an SDK need not know --describe; one with an SDK that does not answer is broken.
            guard project.language == .other else {
                throw CommandFailure("\(project.name) does not run: \(reason)")
            }
            says.note(
                "described", "plugin.json keeps its tools: \(reason.split(separator: "\n").first ?? "")")
            return
        }
        guard let manifest = try? String(contentsOfFile: project.manifestPath, encoding: .utf8) else {
            throw CommandFailure("\(project.manifestPath) cannot be read")
        }
        let tools = try ManifestTools(manifest: manifest, described: described)
        guard !tools.changes.isEmpty else { return }
        do {
            try Data(tools.text.utf8).write(
                to: URL(fileURLWithPath: project.manifestPath), options: .atomic)
        } catch {
            throw CommandFailure(
                "\(project.manifestPath) cannot be written: \(error.localizedDescription)")
        }
        says.note("described", "plugin.json: tools brought up to date")
        for line in tools.changes { says.note("described", "  \(line)") }
    }

    static func load(_ project: PluginProject) throws(CommandFailure) -> PluginBundle {
        do {
            return try PluginBundle.load(directory: project.directory)
        } catch {
            throw CommandFailure(error.message)
        }
    }

    /// Installs the bundle and starts it in its jail.
    ///
    /// - Throws: `CommandFailure` with the cause, which names the requirement that was broken.
    func run(_ bundle: PluginBundle, on client: HostClient) async throws {
        _ = try await client.json(.post, APIPath.plugins, body: bundle.upload)
        do {
            let plugin = try await client.json(
                .post, APIPath.plugin(project.name, "start"), query: [("once", "1")])
            says.note(
                "running",
                "\(project.name) \(bundle.manifest.version) runs in its jail: \(plugin.shown("instance"))")
        } catch let failure as CommandFailure {
            throw CommandFailure("\(project.name) did not start: \(failure.message)")
        }
    }

    /// The tools, each with a line to paste.
    func showTools(_ bundle: PluginBundle, home: String) {
        for tool in bundle.manifest.tools {
            let arguments = SampleArguments.object(for: tool.inputSchema).text
            let call =
                "nexus tool call \(tool.name) \(SampleArguments.quoted(arguments)) "
                + "--home \(SampleArguments.word(ProjectPath.shown(home)))"
            says.tool(tool.name, tool.description, call: call)
        }
    }
}
