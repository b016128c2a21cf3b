import Foundation

/// The SDKs beside the built programs, as a checkout has them.
enum AuthorCheckout {
    static let folder: Result<String, any Error> = Result {
        let folder = try Built.folder.get()
        for part in ["sdk/python", "sdk/swift", "Sources/PluginABI"] {
            let parent = URL(fileURLWithPath: "\(folder)/\(part)").deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            guard FileManager.default.fileExists(atPath: "\(Built.root)/\(part)") else {
                throw Failure("\(Built.root)/\(part) is missing")
            }
            // Links stay links: sdk/swift has one to the ABI's sources.
            let outcome = try Program.run(["/bin/cp", "-R", "\(Built.root)/\(part)", "\(folder)/\(part)"])
            guard outcome.status == 0 else { throw Failure("\(outcome)") }
        }
        _ = try Program.run(["/bin/chmod", "-R", "a+rX", "\(folder)/sdk", "\(folder)/Sources"])
        return folder
    }
}
