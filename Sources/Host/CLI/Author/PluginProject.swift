internal import Foundation
internal import JSONBytes

/// A plugin's source directory, as far as its build needs to know it; the registry checks the rest.
struct PluginProject {
    enum Language {
        case swift
        case python
        case other
    }

    /// Absolute.
    let directory: String
    let name: String
    let language: Language
    /// `runtime.executable`, relative.
    let program: String
    let runsInPython: Bool
    let arguments: [String]

    var manifestPath: String { "\(directory)/plugin.json" }
    var programPath: String { "\(directory)/\(program)" }

    /// What a person types to build it.
    var buildCommand: String {
        let place = ProjectPath.shown(directory)
        let part = place == "." ? "" : " \(SampleArguments.word(place))"
        return "nexus dev\(part) --once\(language == .other ? " --build COMMAND" : "")"
    }

    /// Words for a project that is not built; nil if it is.
    var missingProgram: String? {
        guard access(programPath, F_OK) != 0 else { return nil }
        return "\(programPath) is missing; build it first, with `\(buildCommand)`"
    }

    /// - Throws: `CommandFailure` if there is no plugin.json, or it lacks what a build needs.
    init(directory: String) throws(CommandFailure) {
        self.directory = ProjectPath.absolute(directory)
        let path = "\(self.directory)/plugin.json"
        let json: JSONValue
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(
                "\(path) cannot be read; is this a plugin's directory? `nexus new tool NAME` makes one")
        }
        do {
            json = try JSONValue(parsing: Array(bytes), limits: PluginProject.limits)
        } catch {
            throw CommandFailure("\(path) is not JSON: \(error)")
        }
        guard let name = json["name"]?.stringValue,
            let program = json["runtime"]?["executable"]?.stringValue,
            !program.split(separator: "/").contains(".."), !program.hasPrefix("/")
        else {
            throw CommandFailure("\(path) needs a name, and runtime.executable inside of the directory")
        }
        self.name = name
        self.program = program
        runsInPython = json["runtime"]?["type"]?.stringValue == "python"
        arguments = json["runtime"]?.list("arguments").compactMap(\.stringValue) ?? []
        let hasPackage = FileManager.default.fileExists(atPath: "\(self.directory)/Package.swift")
        language = hasPackage ? .swift : runsInPython ? .python : .other
    }

    static let limits = JSONLimits(bytes: 1 << 20, depth: 32, values: 20_000)
}
