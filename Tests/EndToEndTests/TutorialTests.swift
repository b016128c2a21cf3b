import Foundation
import Testing

/// docs/TUTORIAL.md does what it says.
@Suite(.serialized) struct TutorialTests {
    static let swiftPart = "\n## The same in Swift\n"

    private var parts: (python: String, swift: String) {
        get throws {
            let text = try String(contentsOfFile: "\(Built.root)/docs/TUTORIAL.md", encoding: .utf8)
            let halves = text.components(separatedBy: Self.swiftPart)
            guard halves.count == 2 else { throw Failure("docs/TUTORIAL.md has no part in Swift") }
            return (halves[0], halves[1])
        }
    }

    @Test(arguments: Person.available)
    func thePartInPythonWorksAsWritten(person: Person) throws {
        let text = try TutorialText(parts.python)
        #expect(text.steps.count > 10)
        try TutorialRun(person).run(text)
    }

    @Test func thePartInSwiftWorksAsWritten() throws {
        let text = try TutorialText(parts.swift)
        #expect(!text.steps.isEmpty)
        try TutorialRun(Person.available[0]).run(text)
    }

    @Test(arguments: [
        "```console\n$ echo one\ntwo\n```", "```console\n$ false\n```", "```console\n$ printf 'a\\nb\\n'\na\n```",
        "```console\n$ true\n…x…\n```", "```console terminal=a\nx\n```", "```console\nx\n```", "```console\n$ true",
    ])
    func aTutorialThatPromisesWhatDoesNotHappenFails(markdown: String) {
        #expect(throws: Failure.self) { try TutorialRun(Person.available[0]).run(TutorialText(markdown)) }
    }

    @Test func whatDiffersFromRunToRunMayBeLeftOut() throws {
        let markdown = """
            ```text
            $ not run
            ```
            ```console
            $ printf 'one 1 x\\ntwo\\nthree\\nfour\\n'
            one … x
            …
            four
            $ mkdir a && cd a
            ```
            ```python b.py
            print("here")
            ```
            ```console
            $ python3 b.py
            here
            $ basename "$PWD"
            a
            ```
            ```console terminal=t
            $ sh -c "echo"
            …
            ```
            """
        try TutorialRun(Person.available[0]).run(TutorialText(markdown))
    }
}
