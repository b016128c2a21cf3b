import Testing

@testable import Registry

@Suite struct TarArchiveTests {
    private let files = [
        TarArchive.File(name: "LICENSE", bytes: [], isExecutable: false),
        TarArchive.File(name: "bin/x", bytes: [UInt8](repeating: 7, count: 513), isExecutable: true),
        TarArchive.File(name: "plugin.json", bytes: [UInt8](repeating: 9, count: 512), isExecutable: false),
    ]

    private func decode(_ archive: [UInt8]) throws(RegistryError) -> [TarArchive.File] {
        try TarArchive.decode(archive, files: 4, bytes: 1_000)
    }
    private func words(_ archive: [UInt8]) -> String? {
        refusal { () throws(RegistryError) in try decode(archive) }?.message
    }

    @Test func orderOfTheFilesDoesNotMatter() throws {
        let archive = TarArchive.encode(files)
        #expect(archive == TarArchive.encode(files.reversed()))
        #expect(archive.count == TarArchive.length(of: files.map(\.bytes.count)))
        #expect(archive.count == 512 + 512 + 1_024 + 512 + 512 + 1_024)
        #expect(try decode(archive) == files)
    }

    @Test func noFileIsAnArchiveTooWhichHoldsNone() throws {
        #expect(try decode(TarArchive.encode([])) == [])
    }

    @Test func archiveCutAtAnyByteIsRefused() {
        let archive = TarArchive.encode(files)
        for end in 0..<archive.count { #expect(words(Array(archive[..<end])) != nil, "cut at \(end)") }
        #expect(words([]) == "it is cut off in a header")
        #expect(words(Array(archive[..<1_600])) == "it is cut off in \"bin/x\"")
    }

    @Test func anythingAfterTheEndBlocksIsRefused() {
        let archive = TarArchive.encode(files)
        for more in [[0], [1], [UInt8](repeating: 0, count: 512), archive] {
            #expect(words(archive + more) == "it does not end with two blocks of zeros and nothing after them")
        }
        var marked = archive
        marked[archive.count - 1] = 1
        #expect(words(marked) == "it does not end with two blocks of zeros and nothing after them")
    }

    @Test func bytesHiddenInThePaddingAreRefused() {
        var archive = TarArchive.encode(files)
        archive[1_024 + 513] = 1
        #expect(words(archive) == "something is hidden after the end of \"bin/x\"")
    }

    @Test func aNameTwiceOrOutOfOrderIsRefused() {
        let parts = files.map { Array(TarArchive.encode([$0]).dropLast(1_024)) }
        let end = [UInt8](repeating: 0, count: 1_024)
        #expect(
            words(parts[0] + parts[0] + end)
                == "\"LICENSE\" comes twice or after a name that sorts later; make it with `nexus pack`")
        #expect(words(parts[1] + parts[0] + end)?.hasPrefix("\"LICENSE\" comes twice or after") == true)
    }

    @Test func moreFilesThanAllowedAreRefused() {
        let many = (0..<5).map { TarArchive.File(name: "f\($0)", bytes: [], isExecutable: false) }
        #expect(words(TarArchive.encode(many)) == "it holds more than 4 files, from \"f4\" on")
    }

    @Test func aSizeBeyondTheLimitIsRefusedBeforeItIsRead() {
        let header = TarHeader(name: "bin/x", size: 0o77_777_777_777, isExecutable: true).encoded
        let error = refusal { () throws(RegistryError) in try decode(header) }
        #expect(error?.code == .tooLarge)
        #expect(error?.message == "the bundle was refused: \"bin/x\" has 8589934591 bytes; the limit is 1000")
    }
}
