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
        let front = StdioFront { [client] message in
            let (_, answer) = try await client.exchange(
                .post, APIPath.mcp,
                headers: [("content-type", "application/json"), ("accept", "application/json, text/event-stream")],
                body: message)
            return answer.isEmpty ? nil : answer
        }
        try await front.run(input: StandardInput.chunks()) { line in
            try FileHandle.standardOutput.write(contentsOf: line + [0x0A])
        }
    }
}

/// Standard input as pieces of bytes, read by a thread of its own because read(2) blocks.
enum StandardInput {
    static func chunks() -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            Thread.detachNewThread {
                var buffer = [UInt8](repeating: 0, count: 64 << 10)
                while true {
                    let count = read(STDIN_FILENO, &buffer, buffer.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { break }
                    continuation.yield(Array(buffer[..<count]))
                }
                continuation.finish()
            }
        }
    }
}
