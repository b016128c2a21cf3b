import Foundation
import Testing

@testable import Registry

@Suite struct BundleArchiveTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private static let documents: [PluginBundle.Document: [UInt8]] = [
        .readme: Array("# Sample\n".utf8), .license: Array("Do what you want.\n".utf8),
    ]

    private func read(_ archive: [UInt8]) throws(RegistryError) -> PluginBundle { try PluginBundle(archive: archive) }
    private func words(_ files: (String, [UInt8], Bool)...) -> String? {
        let archive = TarArchive.encode(files.map { TarArchive.File(name: $0.0, bytes: $0.1, isExecutable: $0.2) })
        return refusal { () throws(RegistryError) in try read(archive) }?.message
    }

    @Test func theSameInputGivesTheSameBytes() throws {
        let archive = try SampleBundle.bundle(documents: Self.documents).archive()
        for _ in 0..<8 { #expect(try SampleBundle.bundle(documents: Self.documents).archive() == archive) }
        // Pinned: another version of this code has to give these bytes as well.
        #expect(
            PluginBundle.digest(of: archive) == "0b1f69e04601127663f427bc97f1238ec7a078e9d1e1905026848af235c52b58")
        #expect(try SampleBundle.bundle().archiveName == "sample-1.0.0.nexus")
    }

    @Test func aBundleIsReadAsItWasMade() throws {
        for documents in [[:], Self.documents] {
            let bundle = try SampleBundle.bundle(documents: documents)
            let again = try read(bundle.archive())
            #expect(again.manifestBytes == bundle.manifestBytes)
            #expect(again.executable == bundle.executable && again.executableDigest == bundle.executableDigest)
            #expect(again.documents == documents)
            #expect(again.archive() == bundle.archive())
        }
    }

    @Test(arguments: [
        ["/usr/bin/tar", "-xf", "IN", "-C", "OUT"],
        [
            "/usr/bin/python3", "-c", "import sys,tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])", "IN",
            "OUT",
        ],
    ])
    func theUsualToolsExtractIt(command: [String]) throws {
        let bundle = try SampleBundle.bundle(documents: Self.documents)
        try folder.write(bundle.archive(), to: "sample.nexus")
        try folder.write([], to: "out/.keep")
        let arguments = command.map {
            $0 == "IN" ? "\(folder.path)/sample.nexus" : $0 == "OUT" ? "\(folder.path)/out" : $0
        }
        #expect(try run(arguments).status == 0)
        #expect(try folder.bytes("out/plugin.json") == bundle.manifestBytes)
        #expect(try folder.bytes("out/bin/sample") == bundle.executable)
        #expect(try folder.bytes("out/README.md") == Self.documents[.readme])
        #expect(try folder.mode("out/bin/sample") & 0o777 == 0o755)
        #expect(try folder.mode("out/LICENSE") & 0o777 == 0o644)
    }

    @Test(arguments: [
        ["/usr/bin/tar", "-tf", "IN"],
        [
            "/usr/bin/python3", "-c", "import sys,tarfile; print('\\n'.join(tarfile.open(sys.argv[1]).getnames()))",
            "IN",
        ],
    ])
    func theUsualToolsListItInOrder(command: [String]) throws {
        try folder.write(SampleBundle.bundle(documents: Self.documents).archive(), to: "sample.nexus")
        let result = try run(command.map { $0 == "IN" ? "\(folder.path)/sample.nexus" : $0 })
        #expect(result.status == 0)
        #expect(result.output == "LICENSE\nREADME.md\nbin/sample\nplugin.json\n")
    }

    @Test func whatGNUTarMakesWithTheRightOptionsIsABundle() throws {
        let bundle = try SampleBundle.bundle(documents: Self.documents)
        let files = [("LICENSE", Self.documents[.license]), ("README.md", Self.documents[.readme])]
        for (name, bytes) in files + [("bin/sample", bundle.executable), ("plugin.json", bundle.manifestBytes)] {
            try folder.write(try #require(bytes), to: name)
        }
        try #require(chmod("\(folder.path)/bin/sample", 0o755) == 0)
        for name in ["LICENSE", "README.md", "plugin.json"] {
            try #require(chmod("\(folder.path)/\(name)", 0o644) == 0)
        }
        let options = [
            "--format=ustar", "--mtime=@0", "--owner=:0", "--group=:0", "--numeric-owner", "--blocking-factor=1", "-cf",
            "\(folder.path)/made.nexus", "-C", folder.path, "LICENSE", "README.md", "bin/sample", "plugin.json",
        ]
        #expect(try run(["/usr/bin/tar"] + options).status == 0)
        #expect(try folder.bytes("made.nexus") == bundle.archive())
    }

    @Test func theLimitsInTheDocumentAreTheCode() throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "\(root)/sdk/spec/manifest-v1.md", encoding: .utf8)
        let limits = [
            ("executableFileBytes", PluginBundle.executableLimit), ("documentFileBytes", PluginBundle.documentLimit),
            ("bundleBytes", PluginBundle.archiveLimit),
        ]
        for (name, limit) in limits {
            let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| \(name) |") })
            #expect(row.split(separator: "|")[1].filter(\.isNumber) == "\(limit)")
        }
    }

    @Test func theLargestBundleFitsTheLimit() {
        let sizes = [PluginBundle.manifestLimit, PluginBundle.executableLimit, 1 << 20, 1 << 20]
        #expect(PluginBundle.archiveLimit == TarArchive.length(of: sizes))
        let long = [UInt8](repeating: 0, count: PluginBundle.archiveLimit + 1)
        let error = refusal { () throws(RegistryError) in try read(long) }
        #expect(error?.message == "the bundle has 36703233 bytes; the limit is 36703232")
    }

    @Test func everyByteFlippedIsRefusedOrReadAndNeverTraps() throws {
        let archive = try SampleBundle.bundle(documents: Self.documents).archive()
        var accepted = 0
        for position in archive.indices {
            var bytes = archive
            bytes[position] ^= 0x21
            if let bundle = try? PluginBundle(archive: bytes) {
                #expect(bundle.archive() == bytes, "byte \(position) was read as something else")
                accepted += 1
            }
        }
        // Only what stands inside the four files may differ.
        let bundle = try read(archive)
        let inside =
            bundle.manifestBytes.count + bundle.executable.count + Self.documents.values.reduce(0) { $0 + $1.count }
        #expect(accepted > 0 && accepted < inside)
    }

    @Test func randomDamageNeverTraps() throws {
        let archive = try SampleBundle.bundle(documents: Self.documents).archive()
        var state: UInt64 = 11
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<2_000 {
            var bytes = archive
            for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
            if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
            if let bundle = try? PluginBundle(archive: bytes) { #expect(bundle.archive() == bytes) }
        }
    }

    @Test func filesThatTheManifestDoesNotNameAreRefused() {
        let manifest = ("plugin.json", SampleBundle.manifest(), false)
        let program = ("bin/sample", SampleBundle.program, true)
        for name in ["../../etc/passwd", "/etc/passwd", "bin/other", "readme.md", "zz\u{1B}[2J", "bin/./sample"] {
            let found = words(manifest, program, (name, [], false))
            #expect(found?.hasPrefix("the bundle was refused: ") == true, "\(name)")
            #expect(found?.hasSuffix("is in it, and plugin.json names no such file") == true, "\(name)")
            #expect(found?.contains("\u{1B}") == false)
        }
    }

    @Test func whatIsMissingIsNamed() {
        #expect(words() == "the bundle was refused: it holds no plugin.json")
        #expect(words(("bin/sample", SampleBundle.program, true)) == "the bundle was refused: it holds no plugin.json")
        #expect(
            words(("plugin.json", SampleBundle.manifest(), false))
                == "runtime.executable: the bundle holds no \"bin/sample\"")
    }

    @Test func modesSayWhatIsRun() {
        let wrong = "has the wrong mode: the executable has 0755, everything else 0644"
        #expect(
            words(("plugin.json", SampleBundle.manifest(), true), ("bin/sample", SampleBundle.program, true))
                == "the bundle was refused: \"plugin.json\" \(wrong)")
        #expect(
            words(("plugin.json", SampleBundle.manifest(), false), ("bin/sample", SampleBundle.program, false))
                == "the bundle was refused: \"bin/sample\" \(wrong)")
    }

    @Test func whatIsInsideIsCheckedAsInADirectory() {
        #expect(
            words(("plugin.json", Array("{}".utf8), false), ("bin/sample", SampleBundle.program, true))
                == "plugin.json was refused at manifest: is missing")
        #expect(
            words(("plugin.json", SampleBundle.manifest(), false), ("bin/sample", Array("MZ".utf8), true))
                == "runtime.executable: \"bin/sample\" is not an ELF program; build it for Linux first")
        let long = [UInt8](repeating: 0x20, count: PluginBundle.documentLimit + 1)
        #expect(
            words(
                ("plugin.json", SampleBundle.manifest(), false), ("bin/sample", SampleBundle.program, true),
                ("README.md", long, false)) == "README.md has 1048577 bytes; the limit is 1048576")
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
