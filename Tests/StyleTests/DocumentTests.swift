import Foundation
import Testing

/// What the documents say about the repository is true of it.
struct DocumentTests {
    private static let documents = SourceTree.files("md").filter { !$0.isIn(["sdk", "Plugins", "Tests"]) }
    private static let commandLine = CommandLineText()

    @Test func everyCommandInTheDocumentsExists() {
        #expect(Self.documents.count > 5 && !Self.commandLine.roots.isEmpty)
        for document in Self.documents {
            for words in Self.mentions(of: "nexus", in: document) {
                let problem = Self.commandLine.problem(with: words)
                #expect(problem == nil, "\(document.path): nexus \(words.joined(separator: " ")): \(problem ?? "")")
            }
        }
    }

    @Test func everyCommandIsInTheReference() throws {
        let reference = try #require(SourceTree.file("docs/CLI.md"))
        for command in Self.commandLine.leaves {
            #expect(reference.text.contains("`nexus \(command)"), "docs/CLI.md does not have nexus \(command)")
        }
    }

    @Test func everyOptionOfTheCommandLineIsInTheReference() throws {
        let reference = try #require(SourceTree.file("docs/CLI.md"))
        for option in Self.commandLine.options {
            #expect(reference.text.contains("--\(option)"), "docs/CLI.md does not have --\(option)")
        }
    }

    @Test func everyMakeTargetInTheDocumentsExists() throws {
        let makefile = try #require(SourceTree.file("Makefile"))
        for document in Self.documents {
            for words in Self.mentions(of: "make", in: document) {
                guard let target = words.first, target.allSatisfy({ $0.isLetter }) else { continue }
                #expect(makefile.text.contains("\n\(target):"), "\(document.path): make \(target)")
            }
        }
    }

    @Test func linksAndPathsLeadSomewhere() throws {
        let link = /\]\(([^)#:]+)\)/
        let path = /`((?:Sources|Tests|Plugins|sdk|docs|scripts)\/[A-Za-z0-9_.\/+-]+)`/
        for document in Self.documents {
            let folder = (document.path as NSString).deletingLastPathComponent
            for match in document.text.matches(of: link) {
                #expect(SourceTree.exists("\(folder)/\(match.1)"), "\(document.path) links to \(match.1)")
            }
            for match in document.text.matches(of: path) {
                #expect(SourceTree.exists(String(match.1)), "\(document.path) names \(match.1)")
            }
        }
    }

    /// A promise names the test that shows it.
    @Test func testsNamedInTheDocumentsExist() {
        let name = /`([A-Z][A-Za-z+]*Tests)(?:\.([a-z][A-Za-z0-9]*))?`/
        let bare = /`([a-z][A-Za-z]{24,})`/
        let tests = SourceTree.files("swift", in: ["Tests"])
        for document in Self.documents {
            for match in document.text.matches(of: name) {
                let file = tests.first { $0.name == "\(match.1).swift" }
                #expect(file != nil, "\(document.path): there is no \(match.1)")
                if let test = match.2, let file {
                    #expect(file.text.contains("func \(test)("), "\(document.path): \(match.1) has no \(test)")
                }
            }
            for match in document.text.matches(of: bare) {
                let isKnown = tests.contains { $0.text.contains("func \(match.1)(") }
                #expect(isKnown, "\(document.path): there is no test \(match.1)")
            }
        }
    }

    @Test func documentsKeepTheirLength() {
        for document in Self.documents {
            let limit = document.path == "README.md" ? 150 : document.isIn(["docs/adr"]) ? 80 : 200
            #expect(document.lines.count - 1 <= limit, "\(document.path) has more than \(limit) lines")
        }
    }

    /// The words after a program's name, in code spans and in the lines of code blocks.
    private static func mentions(of program: String, in document: SourceTree.File) -> [[String]] {
        var texts: [Substring] = []
        for line in document.lines {
            let parts = line.split(separator: "`", omittingEmptySubsequences: false)
            texts += parts.indices.filter { $0 % 2 == 1 }.map { parts[$0] }
            if line.hasPrefix("    ") { texts.append(line.drop { " $".contains($0) }) }
        }
        return texts.compactMap { text in
            let words = text.split(separator: " ").map(String.init)
            guard words.first == program, words.count > 1 else { return nil }
            return Array(words.dropFirst().prefix { !$0.hasPrefix("#") && $0 != "--" })
        }
    }
}

/// The command line as its sources declare it.
struct CommandLineText {
    private var names: [String: String] = [:]
    private var children: [String: [String]] = [:]
    private(set) var options: Set<String> = []

    init() {
        let type = #/struct (\w+Command): /#
        let name = /commandName: "([a-z-]+)"/
        let subcommand = /(\w+Command)\.self/
        let option = /@(?:Option|Flag)(?:\((?:.|\n)*?)?\n\s+var (\w+)/
        let custom = /customLong\("([a-z-]+)"\)/
        for file in SourceTree.files("swift", in: ["Sources/Host/CLI"]) {
            var current = ""
            for line in file.lines {
                if let match = line.firstMatch(of: type) { current = String(match.1) }
                if let match = line.firstMatch(of: name) { names[current] = String(match.1) }
                children[current, default: []] += line.matches(of: subcommand).map { String($0.1) }
            }
            for match in file.text.matches(of: option) {
                let declared = match.0.firstMatch(of: custom).map { String($0.1) }
                options.insert(declared ?? Self.kebab(String(match.1)))
            }
        }
    }

    var roots: [String] { (children["NexusCommand"] ?? []).compactMap { names[$0] } }

    /// `status`, `plugin install` and so on.
    var leaves: [String] {
        (children["NexusCommand"] ?? []).flatMap { root -> [String] in
            let below = (children[root] ?? []).compactMap { names[$0] }
            return below.isEmpty ? [names[root] ?? root] : below.map { "\(names[root] ?? root) \($0)" }
        }
    }

    /// What is wrong with a command line; nil if nothing is.
    func problem(with words: [String]) -> String? {
        guard let first = words.first, !first.hasPrefix("-"), first.first?.isLetter == true else { return nil }
        guard let root = (children["NexusCommand"] ?? []).first(where: { names[$0] == first }) else {
            return "there is no such command"
        }
        let below = (children[root] ?? []).compactMap { names[$0] }
        if !below.isEmpty, words.count > 1, !below.contains(words[1]) { return "\(first) has no \(words[1])" }
        let unknown = words.filter { $0.hasPrefix("--") }.map { $0.dropFirst(2).prefix { $0.isLetter || $0 == "-" } }
            .first { !options.contains(String($0)) && !["help", "version"].contains($0) }
        return unknown.map { "there is no option --\($0)" }
    }

    private static func kebab(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
    }
}
