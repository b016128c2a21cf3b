internal import ArgumentParser
internal import Foundation

/// Options that a starting host takes.
struct StartOptions: ParsableArguments {
    @Option(help: "Port of the MCP listener on 127.0.0.1; 0 lets the kernel choose.")
    var port: Int = 8_765

    @Option(help: ArgumentHelp("Account to serve as when started by root.", valueName: "account"))
    var user: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535, not \(port)") }
    }

    var arguments: [String] { ["--port", String(port)] + (user.map { ["--user", $0] } ?? []) }
}

/// `nexus serve`: becomes nexusd.
struct ServeCommand: HostCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Run the host in the foreground.")
    @OptionGroup var host: HostOptions
    @OptionGroup var start: StartOptions

    @Option(help: ArgumentHelp("Read the master key, 64 hex digits, from this descriptor.", valueName: "n"))
    var masterKeyFd: Int32?

    @Option(help: ArgumentHelp("Make the master key from the passphrase on this descriptor.", valueName: "n"))
    var passphraseFd: Int32?

    func perform() async throws {
        let program = DaemonProcess.program
        let key =
            (masterKeyFd.map { ["--master-key-fd", String($0)] } ?? [])
            + (passphraseFd.map { ["--passphrase-fd", String($0)] } ?? [])
        let words = [program, "--home", host.homePath] + start.arguments + key
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        execv(program, &pointers)
        throw CommandFailure("\(program) cannot be started: \(String(cString: strerror(errno)))")
    }
}
