internal import ArgumentParser
internal import Foundation
internal import HostAPI

/// What every command that talks to a host takes.
struct HostOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The host's home.", discussion: "Default: $NEXUS_HOME, or the user's data directory.", valueName: "dir"))
    var home: String?

    @Flag(help: "Print JSON instead of text.")
    var json = false

    var homePath: String {
        let path = home ?? HomePath.standard(environment: ProcessInfo.processInfo.environment, isRoot: geteuid() == 0)
        let full = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        return URL(fileURLWithPath: full).standardizedFileURL.path
    }

    var client: HostClient { HostClient(home: homePath) }
    var output: Output { Output(isJSON: json) }
}
