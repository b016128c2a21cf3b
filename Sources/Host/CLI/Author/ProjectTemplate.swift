internal import Foundation
internal import JSONBytes

/// A new project's files. They are real projects in sdk/templates, whose plugin is called `template-name`; each name in
/// them is replaced by the new plugin's, in texts and in paths.
struct ProjectTemplate {
    enum Language: String, CaseIterable {
        case swift
        case python
    }

    let language: Language
    private let name: ProjectName
    private let sdk: SDKLocation

    init(_ language: Language, name: ProjectName, sdk: SDKLocation) {
        self.language = language
        self.name = name
        self.sdk = sdk
    }

    /// Path in the project and contents.
    var files: [(path: String, text: String)] {
        Self.sources(language).map {
            (path: fill($0.path), text: fill(String(decoding: $0.bytes, as: UTF8.self)))
        }
    }

    /// Writes the project beside its place first, and moves it there when it is whole.
    ///
    /// - Throws: `CommandFailure` if the directory exists and is not empty, or cannot be written.
    func write(to directory: String) throws(CommandFailure) {
        try checkIdentity(directory)
        try Self.checkFree(directory)
        // It becomes part of a Swift string and of a file of one line.
        guard sdk.path.allSatisfy({ $0 != "\"" && $0 != "\\" && !$0.isNewline }) else {
            throw CommandFailure(
                "nothing was made: the SDK's path \(sdk.path.printable) holds quotes, backslashes or line breaks"
            )
        }
        let parent = URL(fileURLWithPath: directory).deletingLastPathComponent().path
        let fresh = "\(parent)/.\(name.plugin)-\(UUID().uuidString.prefix(8)).new"
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            for file in files {
                let path = URL(fileURLWithPath: "\(fresh)/\(file.path)")
                try FileManager.default.createDirectory(
                    at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(file.text.utf8).write(to: path)
            }
            // rename(2) takes the place of an empty directory, and of nothing else.
            guard rename(fresh, directory) == 0 else {
                throw CommandFailure(String(cString: strerror(errno)))
            }
        } catch {
            try? FileManager.default.removeItem(atPath: fresh)
            throw CommandFailure("nothing was made: \(directory) cannot be written: \(Self.words(error))")
        }
    }

    /// SwiftPM knows a package by its folder's name in lower case, and the SDK's folder is called `swift`.
    private func checkIdentity(_ directory: String) throws(CommandFailure) {
        guard language == .swift else { return }
        guard name.plugin != "swift" else {
            throw CommandFailure(
                "nothing was made: \"swift\" is the name of the SDK's package; choose another, such as my-swift",
                exitCode: 64)
        }
        let folder = URL(fileURLWithPath: directory).lastPathComponent.lowercased()
        guard folder != "swift", folder != "swift.git" else {
            throw CommandFailure(
                "nothing was made: SwiftPM takes a package in a folder called swift for the SDK's; "
                    + "choose another with --directory", exitCode: 64)
        }
    }

    private static func checkFree(_ directory: String) throws(CommandFailure) {
        var status = stat()
        guard lstat(directory, &status) == 0 else { return }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        let content = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        guard isFolder, content.isEmpty else {
            let what = isFolder ? "is not empty (it holds \(content.sorted()[0]))" : "is not a directory"
            throw CommandFailure(
                "nothing was made: \(directory) \(what); choose another with --directory")
        }
    }

    private static func words(_ error: any Error) -> String {
        (error as? CommandFailure)?.message ?? (error as NSError).localizedDescription
    }

    private func fill(_ text: String) -> String {
        text.replacing("template-name", with: name.plugin)
            .replacing("template_name", with: name.underscored)
            .replacing("TemplateName", with: name.camelCased)
            .replacing("../..", with: sdk.path)
    }

    private static func sources(_ language: Language) -> [(path: String, bytes: [UInt8])] {
        switch language {
        case .swift:
            [
                (".gitignore", PackageResources.swift_gitignore),
                ("Package.swift", PackageResources.swift_package),
                ("README.md", PackageResources.swift_readme),
                ("Sources/TemplateNameTools/Greet.swift", PackageResources.swift_tools),
                ("Sources/template-name/main.swift", PackageResources.swift_main),
                ("Tests/TemplateNameTests/GreetTests.swift", PackageResources.swift_tests),
                ("conformance.json", PackageResources.swift_conformance),
                ("plugin.json", PackageResources.swift_manifest),
            ]
        case .python:
            [
                (".gitignore", PackageResources.python_gitignore),
                ("README.md", PackageResources.python_readme),
                ("conformance.json", PackageResources.python_conformance),
                ("plugin.json", PackageResources.python_manifest),
                ("sdk.path", PackageResources.python_sdk),
                ("src/main.py", PackageResources.python_plugin),
                ("tests/__init__.py", PackageResources.python_tests_package),
                ("tests/test_greet.py", PackageResources.python_tests),
            ]
        }
    }
}
