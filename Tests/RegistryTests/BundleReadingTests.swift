import Foundation
import PluginABI
import Testing

@testable import Registry

@Suite struct BundleReadingTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func words(_ name: String) -> String? {
        refusal { () throws(RegistryError) in try PluginBundle.load("\(folder.path)/\(name)") }?.message
    }

    @Test func aDirectoryAndItsBundleAreTheSamePlugin() throws {
        try folder.write(SampleBundle.manifest(), to: "plugin/plugin.json")
        try folder.write(SampleBundle.program, to: "plugin/bin/sample")
        try folder.write(Array("# Sample".utf8), to: "plugin/README.md")
        try folder.write([1], to: "plugin/notes.txt")
        let directory = try PluginBundle.load("\(folder.path)/plugin")
        #expect(directory.documents == [.readme: Array("# Sample".utf8)])
        try folder.write(directory.archive(), to: directory.archiveName)
        let file = try PluginBundle.load("\(folder.path)/sample-1.0.0.nexus")
        #expect(file.archive() == directory.archive())
    }

    @Test func aBundleMayBeNamedThroughALink() throws {
        try folder.write(SampleBundle.bundle().archive(), to: "sample.nexus")
        try #require(symlink("sample.nexus", "\(folder.path)/latest") == 0)
        #expect(try PluginBundle.load("\(folder.path)/latest").manifest.name == "sample")
    }

    @Test func whatIsNoBundleIsRefusedByPath() throws {
        try folder.write(Array("PK a zip".utf8), to: "other.zip")
        try folder.write([UInt8](repeating: 1, count: 600), to: "noise")
        #expect(words("absent") == "\(folder.path)/absent cannot be read: No such file or directory")
        #expect(
            words("other.zip") == "\(folder.path)/other.zip: the bundle was refused: it is cut off in a header")
        #expect(
            words("noise") == "\(folder.path)/noise: the bundle was refused: "
                + "it is not a ustar archive at this place; make it with `nexus pack`")
    }

    @Test func pipesAndHugeFilesDoNotHoldTheReader() throws {
        try #require(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        #expect(words("pipe") == "\(folder.path)/pipe is not a regular file")
        try folder.write([], to: "huge")
        try #require(truncate("\(folder.path)/huge", 1 << 40) == 0)
        #expect(words("huge") == "\(folder.path)/huge is longer than the limit of 36703232 bytes")
    }

    @Test func aDocumentThatIsALinkOutOfTheDirectoryIsRefused() throws {
        try folder.write(SampleBundle.manifest(), to: "plugin.json")
        try folder.write(SampleBundle.program, to: "bin/sample")
        try #require(symlink("/etc/shadow", "\(folder.path)/README.md") == 0)
        #expect(words("")?.contains("README.md cannot be read: ") == true)
    }

    @Test func aDocumentBeyondItsLimitIsRefused() throws {
        try folder.write(SampleBundle.manifest(), to: "plugin.json")
        try folder.write(SampleBundle.program, to: "bin/sample")
        try folder.write([], to: "LICENSE")
        try #require(truncate("\(folder.path)/LICENSE", 1 << 40) == 0)
        #expect(words("")?.hasSuffix("LICENSE is longer than the limit of 1048576 bytes") == true)
    }
}
