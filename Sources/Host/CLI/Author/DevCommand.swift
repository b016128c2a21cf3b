internal import ArgumentParser

/// `nexus dev`: build, run in the jail, watch, again.
struct DevCommand: AuthorCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Build a plugin, run it in its jail, follow its log, and again on each change.",
        discussion: """
            It starts a host of its own in DIR/.nexus, grants what plugin.json asks for (this is your own machine), \
            and stops that host on Ctrl-C. It watches \(SourceWatch.shown).
            """)

    @Argument(help: ArgumentHelp("The plugin's directory.", valueName: "dir"))
    var directory = "."

    @Option(help: ArgumentHelp("The host's home; one that runs there is used.", valueName: "dir"))
    var home: String?

    @Option(
        help: ArgumentHelp(
            "Build with this shell command instead of the language's own.", valueName: "command"))
    var build: String?

    @Flag(help: "Build, install and start once, then stop; exits with 1 if that fails.")
    var once = false

    @Flag(help: "Print one JSON object a line instead of text.")
    var json = false

    func perform() async throws {
        Interrupt.arm()
        let project = try PluginProject(directory: directory)
        var session = DevSession(
            project: project, home: home, build: build, says: DevOutput(output: output))
        do {
            if once { try await session.once() } else { await session.watch() }
        } catch {
            await session.end()
            throw error is CancellationError ? CommandFailure("interrupted", exitCode: 130) : error
        }
        await session.end()
    }
}
