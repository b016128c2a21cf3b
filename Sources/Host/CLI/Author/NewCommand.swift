internal import ArgumentParser
internal import Foundation
internal import JSONBytes

struct NewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Begin a plugin: a project that builds, tests and runs at once.",
        subcommands: [NewToolCommand.self])
}

/// `nexus new tool NAME --lang swift|python`
struct NewToolCommand: AuthorCommand {
    static let configuration = CommandConfiguration(
        commandName: "tool", abstract: "Begin a plugin with one typed tool and its test.",
        discussion: "Example: nexus new tool my-plugin --lang python")

    @Argument(help: ArgumentHelp("The plugin's name: \(ProjectName.rule).", valueName: "name"))
    var name: String

    @Option(help: "The language: swift or python.")
    var lang: ProjectTemplate.Language

    @Option(
        help: ArgumentHelp("Where to make it; by default a directory of its name.", valueName: "dir"))
    var directory: String?

    @Option(
        help: ArgumentHelp(
            "A checkout of Nexus, for the SDK.",
            discussion: "Default: $NEXUS_SDK, or where nexus stands.",
            valueName: "dir"))
    var sdk: String?

    @Flag(help: "Print JSON instead of text.")
    var json = false

    func perform() async throws {
        let name = try ProjectName(name)
        let place = ProjectPath.absolute(directory ?? name.plugin)
        let sdk = try SDKLocation.find(
            option: sdk, environment: ProcessInfo.processInfo.environment, program: DaemonProcess.program,
            needing: lang == .swift ? "swift/Package.swift" : "python/src/nexus_plugin/__init__.py")
        let template = ProjectTemplate(lang, name: name, sdk: sdk)
        try template.write(to: place)
        let made: JSONValue = [
            "name": .string(name.plugin), "directory": .string(place), "sdk": .string(sdk.path),
            "files": JSONValue(template.files.map(\.path)),
        ]
        output.show(made) { _ in
            output.line("made \(name.plugin) in \(ProjectPath.shown(place)), on the SDK in \(sdk.path)")
            output.line("Go on with:")
            if place != FileManager.default.currentDirectoryPath {
                output.line("  cd \(ProjectPath.shown(place))")
            }
            output.line("  nexus dev")
        }
    }
}

extension ProjectTemplate.Language: ExpressibleByArgument {}
