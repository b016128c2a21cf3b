internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// `nexus down`: asks the host to stop and waits until its process is gone.
struct DownCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stop the host: plugins drain, then everything ends.")
    @OptionGroup var host: HostOptions

    func perform() async throws {
        let answer = try await host.client.json(.post, APIPath.shutDown)
        guard let process = answer["processID"]?.intValue.flatMap(Int32.init(exactly:)), process > 1 else {
            throw CommandFailure("nexusd did not say which process it is")
        }
        // Open calls may take until their deadline, and their plugins some seconds to end.
        let seconds = 90
        for _ in 0..<seconds * 20 where kill(process, 0) == 0 || errno == EPERM {
            try await Task.sleep(for: .milliseconds(50))
        }
        guard kill(process, 0) != 0, errno == ESRCH else {
            throw CommandFailure(
                "nexusd, process \(process), is still there after \(seconds) s; "
                    + "see \(HomePath.log(home: host.homePath))")
        }
        host.output.show(["stopped": JSONValue(Int(process))]) { _ in
            host.output.line("nexusd, process \(process), has stopped")
        }
    }
}
