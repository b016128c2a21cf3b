internal import ArgumentParser
internal import Foundation
internal import HostAPI

/// `nexus mcp`: what an agent's configuration names.
struct MCPCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp", abstract: "Serve MCP over standard input and output; starts the host if none runs.",
        discussion: "For an agent's configuration: {\"command\": \"nexus\", \"args\": [\"mcp\"]}.")
    @OptionGroup var host: HostOptions
    @OptionGroup var start: StartOptions

    @Option(help: ArgumentHelp("Call as the owner of the token in this file.", valueName: "file"))
    var tokenFile: String?

    func perform() async throws {
        _ = try await DaemonProcess(home: host.homePath).ensure(arguments: start.arguments)
        var client = host.client
        if let tokenFile {
            guard let text = try? String(contentsOfFile: tokenFile, encoding: .utf8),
                let token = text.split(whereSeparator: \.isWhitespace).first
            else { throw CommandFailure("--token-file: \(tokenFile) holds no token") }
            client.token = String(token)
        }
        let link = HostLink(client: client)
        let front = StdioFront {
            await link.listen($0)
        } forward: {
            try await link.forward($0, $1)
        }
        let serving = Task {
            try await front.run(input: StandardInput.chunks()) { line in
                try FileHandle.standardOutput.write(contentsOf: line + [0x0A])
            }
        }
        // Nobody waits for the answers any more: nexusd hears that its requests are dropped.
        ReaderWatch.whenGone(STDOUT_FILENO) { serving.cancel() }
        do { try await serving.value } catch is CancellationError {}
    }
}

/// Standard input as pieces of bytes, read only when the front asks for more.
enum StandardInput {
    static func chunks() -> PacedInput {
        PacedInput {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                return Array(buffer.prefix(max(count, 0)))
            }
        }
    }
}
