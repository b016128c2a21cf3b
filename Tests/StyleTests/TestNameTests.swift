import Foundation
import Testing

/// One `XTests.swift` per `X.swift`: whoever changes a file finds its tests by name.
struct TestNameTests {
    /// Tests of a behaviour that belongs to several files.
    static let exceptions: Set<String> = [
        "Tests/ConformanceTests/NegativeControlTests.swift",  // sdk/conformance/controls
        "Tests/EgressTests/JailedProxyTests.swift",  // EgressProxy.swift and listen.c, with real programs
        "Tests/HostCoreTests/SessionRaceTests.swift",  // PluginSession.swift and DescriptorPoller.swift together
        "Tests/HostCoreTests/TranscriptTests.swift",  // sdk/spec/vectors/transcripts.json
        "Tests/HostCoreTests/PluginSessionSocketsTests.swift",  // PluginSession.swift, descriptors
        "Tests/PluginABITests/AllocationTests.swift",  // what the hot path asks of malloc
        "Tests/PluginSDKTests/AsyncToolTests.swift",  // Plugin+Async.swift and ToolCall+Async.swift
        "Tests/PluginSDKTests/StreamingTests.swift",  // Session+Streams.swift
        "Tests/PluginSDKTests/TranscriptTests.swift",  // sdk/spec/vectors/transcripts.json
        "Tests/PluginSDKTests/VectorTests.swift",  // sdk/spec/vectors
        "Tests/CryptoBotTests/ManifestTests.swift",  // Plugins/crypto-bot/plugin.json
        "Tests/PluginABITests/HandwrittenPluginTests.swift",  // the C plugin that knows the specification only
        "Tests/HostCoreTests/HTTPFetchSealedTests.swift",  // HTTPFetchService.swift with sealed credentials
        "Tests/PluginABITests/RequirementMappingTests.swift",  // sdk/spec/*.requirements.json
        "Tests/PluginABITests/SecretMemoryTests.swift",  // what is left in memory after a decode
        "Tests/PluginABITests/SmallStackTests.swift",  // the deepest input on a small stack
        "Tests/PluginABITests/ManifestSpecificationTests.swift",  // sdk/spec/manifest-v1.md
        "Tests/PluginABITests/SpecificationTests.swift",  // sdk/spec/abi-v1.md
        "Tests/PluginABITests/VectorTests.swift",  // sdk/spec/vectors
        "Tests/PluginSDKTests/MemoryScanTests.swift",  // what is left in memory after a call
        "Tests/PluginSDKTests/SessionCallsTests.swift",  // Session+Calls.swift
        "Tests/PluginSDKTests/SessionFramesTests.swift",  // Session+Frames.swift
        "Tests/SandboxTests/CanaryTests.swift",  // confine.c, in jails that have one layer too few
        "Tests/SandboxTests/CgroupTests.swift",  // cgroup.c on the real kernel
        "Tests/SandboxTests/FilterSemanticsTests.swift",  // Profiles/*.json against the compiled filters
        "Tests/SandboxTests/HostilePlanTests.swift",  // plan.c, attacked
        "Tests/SandboxTests/ProxySocketTests.swift",  // listen.c, and what lets programs reach it
        "Tests/SandboxTests/HostileTests.swift",  // the jail, attacked from inside
    ]
    /// Folders whose tests are about the repository or the built programs, not about one file.
    private static let free = ["Tests/StyleTests", "Tests/EndToEndTests"]

    @Test func everyTestFileNamesTheFileThatItTests() {
        let sources = Set(SourceTree.files("swift", "c", in: ["Sources", "sdk", "Plugins"]).map(\.name))
        for file in SourceTree.files("swift", in: ["Tests"]) where file.name.hasSuffix("Tests.swift") {
            guard !file.isIn(Self.free), !Self.exceptions.contains(file.path) else { continue }
            let name = file.name.dropLast("Tests.swift".count)
            let isKnown = sources.contains("\(name).swift") || sources.contains("\(name).c")
            #expect(isKnown, "\(file.path): there is no \(name).swift; name it after a file, or list it here")
        }
    }

    @Test func exceptionsAreStillNeeded() {
        let sources = Set(SourceTree.files("swift", in: ["Sources", "sdk", "Plugins"]).map(\.name))
        for path in Self.exceptions {
            #expect(SourceTree.file(path) != nil, "\(path) is gone")
            let name = (path as NSString).lastPathComponent.dropLast("Tests.swift".count)
            #expect(!sources.contains("\(name).swift"), "\(path) names a file now: remove the exception")
        }
    }

    /// `@Test func propertyInCamelCase()`: a sentence, not `test1` or `parser_works`.
    @Test func namesOfTestsAreCamelCaseSentences() {
        for file in SourceTree.files("swift", in: ["Tests"]) {
            let code = SwiftText.code(of: file.text)
            var rest = code[...]
            while let mark = rest.range(of: "@Test", options: .literal) {
                rest = rest[mark.upperBound...]
                guard let word = rest.range(of: "func ") else { break }
                let name = rest[word.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "`" }
                let isNumbered = name.range(of: "^test[A-Z0-9]", options: .regularExpression) != nil
                let hasWords = name.contains { $0.isUppercase } && !name.contains("_") && !isNumbered
                #expect(name.first?.isLowercase == true && hasWords, "\(file.path): \(name)")
            }
        }
    }
}
