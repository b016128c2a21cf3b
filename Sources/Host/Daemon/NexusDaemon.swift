internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import HostCore
internal import Logging

/// nexusd: reads its options and hands over to `Composition`. Its main is synchronous, because root has to be given up
/// on
/// the first thread while that still exists.
@main
struct NexusDaemon: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nexusd", abstract: "The Nexus host. Usually started by `nexus serve` or `nexus up`.",
        version: HostVersion.current)

    @Option(help: ArgumentHelp("The directory that this host owns.", valueName: "dir"))
    var home: String?

    @Option(help: "Port of the MCP listener on 127.0.0.1; 0 lets the kernel choose.")
    var port: Int = 8_765

    @Option(help: ArgumentHelp("Account to serve as when started by root.", valueName: "account"))
    var user: String = ServiceUser.standardAccount

    @Option(help: ArgumentHelp("The nexus-jail program; by default the one beside nexusd.", valueName: "path"))
    var jail: String?

    @Flag(help: "Tell of paths that plugins ask for and do not have; slow, for `nexus dev`.")
    var showPaths = false

    @Option(help: ArgumentHelp("Read the master key, 64 hex digits, from this descriptor.", valueName: "n"))
    var masterKeyFd: Int32?

    @Option(help: ArgumentHelp("Make the master key from the passphrase on this descriptor.", valueName: "n"))
    var passphraseFd: Int32?

    @Flag(help: "Leave the terminal and log to the home's nexusd.log.")
    var background = false

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535, not \(port)") }
        guard masterKeyFd == nil || passphraseFd == nil else {
            throw ValidationError("--master-key-fd and --passphrase-fd exclude each other")
        }
    }

    func run() throws {
        umask(0o077)
        let environment = ProcessInfo.processInfo.environment
        let home = Home(
            Self.absolute(self.home ?? HomePath.standard(environment: environment, isRoot: geteuid() == 0)))
        let beside = URL(fileURLWithPath: CommandLine.executablePath).deletingLastPathComponent().path
        do {
            let options = Composition.Options(
                home: home, port: port, account: user, helper: jail ?? "\(beside)/nexus-jail",
                isBackground: background, showsPaths: showPaths, keyDescriptor: masterKeyFd,
                passphraseDescriptor: passphraseFd, credentials: environment["CREDENTIALS_DIRECTORY"])
            let composition = try Composition(options)
            Task {
                do {
                    try await composition.run()
                    Foundation.exit(0)
                } catch {
                    Self.end(error)
                }
            }
        } catch {
            Self.end(error)
        }
        while true { pause() }
    }

    private static func end(_ error: any Error) -> Never {
        let words = "nexusd: \(error)\n"
        FileHandle.standardError.write(Data(words.utf8))
        BackgroundLog.tellStarter(words)
        Foundation.exit(status(error as? HostError))
    }

    /// 75 (EX_TEMPFAIL in sysexits.h) where another process is in the way; 1 otherwise.
    private static func status(_ error: HostError?) -> Int32 {
        error?.code == .homeInUse || error?.code == .addressInUse ? 75 : 1
    }

    private static func absolute(_ path: String) -> String {
        let full = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        return URL(fileURLWithPath: full).standardizedFileURL.path
    }
}

extension CommandLine {
    /// The running program's path by /proc/self/exe (proc(5)).
    static var executablePath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? arguments[0]
    }
}
