// What crosses here: the words of a plugin that nobody has to trust, asked by `--describe` what it offers. It runs in
// the jail that its calls will run in, and is killed if it takes too long.
internal import Confinement
internal import Foundation
internal import JSONBytes
internal import Sandbox

/// A plugin's own account of its tools.
struct ToolDescription {
    let project: PluginProject
    var helper = DaemonProcess.jailHelper
    static let patience: Duration = .seconds(20)
    private static let limit = 1 << 20

    enum Answer: Equatable {
        case tools([JSONValue])
        /// It does not understand the question; the text says how it answered.
        case none(String)
    }

    /// - Throws: `CommandFailure` if the jail could not be built or the program is missing.
    func ask() async throws -> Answer {
        guard let bytes = FileManager.default.contents(atPath: project.programPath) else {
            throw CommandFailure(project.missingProgram ?? "\(project.programPath) cannot be read")
        }
        let files = try (0..<2).map { _ in try ScratchFile.open() }
        defer { for file in files { close(file) } }
        let end: JailExit?
        do {
            end = try await run(Array(bytes), output: files[0], errors: files[1])
        } catch let error as JailError {
            throw CommandFailure(
                "\(project.name) could not be run in its jail: \(error.message); see `nexus doctor`")
        }
        let words = text(files[1]).split(separator: "\n").suffix(30).map { $0.printable }.joined(
            separator: "\n")
        let suffix = words.isEmpty ? "" : "\n\(words)"
        guard let end else {
            return .none(
                "it did not answer --describe within \(Self.patience.components.seconds) s\(suffix)")
        }
        guard end == .exited(code: 0) else { return .none("asked with --describe, it \(end)\(suffix)") }
        guard let json = try? JSONValue(parsing: text(files[0]), limits: PluginProject.limits),
            let tools = json["tools"]?.arrayValue
        else { return .none("its answer to --describe is not {\"tools\": […]}\(suffix)") }
        return .tools(tools)
    }

    /// - Returns: nil when it had to be killed.
    private func run(_ program: [UInt8], output: Int32, errors: Int32) async throws -> JailExit? {
        let policy = try policy()
        let launcher = try JailLauncher.start(helper: helper, mountRoots: policy.mounts.map(\.source))
        defer { launcher.close() }
        let executable = try SealedMemory.seal(program, name: project.name)
        defer { close(executable) }
        let descriptors = JailDescriptors(standardOutput: output, standardError: errors, executable: executable)
        let jail = try await launcher.spawn(policy, descriptors: descriptors)
        let watch = Task {
            try await Task.sleep(for: Self.patience)
            jail.kill()
        }
        defer { watch.cancel() }
        let begin = ContinuousClock.now
        let end = await jail.exited()
        return ContinuousClock.now - begin < Self.patience ? end : nil
    }

    private func policy() throws(JailError) -> JailPolicy {
        let arguments = ["--describe"] + project.arguments
        guard project.runsInPython else {
            return JailPolicy(name: project.name, program: .sealed, arguments: [project.name] + arguments)
        }
        return try Confinement.python(named: project.name, arguments: arguments, on: PythonRuntime.find())
    }

    private func text(_ file: Int32) -> String { ScratchFile.text(file, limit: Self.limit) }
}
