import Foundation
import Testing

/// What must not be in the code that runs: traps on outside data, and leftovers.
struct ForbiddenTests {
    private static let shipped = ["Sources", "Plugins", "sdk"]

    /// Traps on bugs of the code that holds them only. Each use is listed with its reason.
    static let allowedTraps: [(path: String, token: String, reason: String)] = [
        (
            "sdk/swift/Sources/PluginSDK/Arguments/Argument.swift", "preconditionFailure(",
            "a plugin's author reads an argument of a value that no call has filled; there is nothing to return"
        )
    ]

    @Test(arguments: ["try!", "as!", "fatalError(", "precondition(", "preconditionFailure(", "assertionFailure("])
    func trapIsNotUsed(token: String) {
        for file in SourceTree.files("swift", in: Self.shipped) {
            for (index, line) in SwiftText.code(of: file.text).split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated() where line.contains(token)
            {
                let isAllowed = Self.allowedTraps.contains { $0.path == file.path && $0.token == token }
                #expect(isAllowed, "\(file.path):\(index + 1) uses \(token)")
            }
        }
    }

    @Test func optionalIsNeverForced() throws {
        for file in SourceTree.files("swift", in: Self.shipped) {
            for line in Self.forced(in: file.text) { Issue.record("\(file.path):\(line) forces an optional with !") }
        }
    }

    @Test func forcedOptionalIsRecognised() {
        #expect(Self.forced(in: "let a = b!\nlet c = d()![0]\nlet e: F!\n") == [1, 2, 3])
        #expect(Self.forced(in: "if !a, b != c, d!=e { f(\"g!\") } // h!\n").isEmpty)
    }

    /// Line numbers of a `!` that follows an expression or a type.
    private static func forced(in text: String) -> [Int] {
        SwiftText.code(of: text).split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
            let characters = Array($0.element)
            let isForced = characters.indices.dropFirst().contains { index in
                guard characters[index] == "!", index + 1 == characters.count || characters[index + 1] != "=" else {
                    return false
                }
                let before = characters[index - 1]
                return before.isLetter || before.isNumber || "_)]}>?`".contains(before)
            }
            return isForced ? $0.offset + 1 : nil
        }
    }

    @Test func noFolderIsADrawerForEverything() {
        let drawers: Set<Substring> = ["Utils", "Common", "Helpers", "Util", "Misc", "Shared"]
        for file in SourceTree.files where !drawers.isDisjoint(with: file.path.split(separator: "/").dropLast()) {
            Issue.record("\(file.path): name the folder after what it does")
        }
    }

    @Test func nothingIsLeftForLater() {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        for file in SourceTree.files {
            for (index, line) in file.lines.enumerated() {
                for word in words where line.range(of: "\\b\(word)\\b", options: .regularExpression) != nil {
                    Issue.record("\(file.path):\(index + 1) says \(word): do it, or open an issue")
                }
            }
        }
    }

    /// In-jail mount points of tests that look like a machine's own paths: file and lines, may only shrink.
    static let pathsInsideJails: [String: Int] = [:]

    @Test func noFileNamesOneMachinesPaths() {
        let pattern = #"(?<![A-Za-z0-9_.}])/(work|root)/"#
        for file in SourceTree.files {
            let hits = file.lines.indices.filter {
                file.lines[$0].range(of: pattern, options: .regularExpression) != nil
            }
            let allowed = Self.pathsInsideJails[file.path] ?? 0
            #expect(hits.count <= allowed, "\(file.path), lines \(hits.map { $0 + 1 }): a path of one machine")
            #expect(hits.count >= allowed, "\(file.path) has \(hits.count) such lines now: lower its number")
        }
    }

    @Test func linesEndClean() {
        for file in SourceTree.files("swift", "c", "h", "py", "md", "json") where !file.isIn(["Tests/Fixtures"]) {
            let unclean = file.lines.indices.filter {
                let line = file.lines[$0].utf8
                return line.last == 0x20 || line.contains(0x09) || line.contains(0x0D)
            }
            #expect(unclean.isEmpty, "\(file.path), lines \(unclean.map { $0 + 1 }): tab or space at the end")
            #expect(file.text.isEmpty || file.text.hasSuffix("\n"), "\(file.path) does not end with a line break")
        }
    }
}
