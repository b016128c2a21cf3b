import Testing

@testable import Registry

@Suite struct TarHeaderTests {
    private let header = TarHeader(name: "bin/sample", size: 0o1234, isExecutable: true).encoded

    private func words(_ block: [UInt8]) -> String? {
        refusal { () throws(RegistryError) in try TarHeader(parsing: block[...]) }?.message
    }

    /// A block with a correct checksum, so that what is changed is found for its own sake.
    static func summed(_ block: [UInt8]) -> [UInt8] {
        var block = block
        block.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let digits = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        let text = String(repeating: "0", count: 6 - digits.utf8.count) + digits
        block.replaceSubrange(148..<156, with: Array(text.utf8) + [0, 0x20])
        return block
    }

    private func changed(_ offset: Int, _ text: String) -> [UInt8] {
        var block = header
        block.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
        return Self.summed(block)
    }

    @Test func everyFieldStandsWhereUstarHasIt() {
        let field = { (offset: Int, count: Int) in String(decoding: header[offset..<offset + count], as: UTF8.self) }
        #expect(header.count == 512)
        #expect(field(0, 12) == "bin/sample\0\0")
        #expect(field(100, 24) == "0000755\u{0}0000000\u{0}0000000\u{0}")
        #expect(field(124, 24) == "00000001234\u{0}00000000000\u{0}")
        #expect(field(154, 3) == "\0 0")
        #expect(field(257, 9) == "ustar\0" + "00\0")
        #expect(header[265..<329].allSatisfy { $0 == 0 } && header[345...].allSatisfy { $0 == 0 })
        #expect(TarHeaderTests.summed(header) == header)
    }

    @Test func aHeaderIsReadAsItWasWritten() throws {
        for (name, size, isExecutable) in [("a", 0, false), (String(repeating: "b", count: 100), 1 << 25, true)] {
            let header = TarHeader(name: name, size: size, isExecutable: isExecutable)
            #expect(try TarHeader(parsing: header.encoded[...]) == header)
        }
    }

    @Test func whatIsNotUstarIsNamed() {
        for block in [[], [UInt8](repeating: 7, count: 512), changed(257, "ustar  "), Array(header.dropLast())] {
            #expect(words(block) == "it is not a ustar archive at this place; make it with `nexus pack`")
        }
    }

    @Test func aWrongChecksumIsDamage() {
        for position in header.indices where !(257..<265).contains(position) {
            var block = header
            block[position] ^= 1
            #expect(words(block) != nil, "byte \(position)")
        }
        var block = header
        block[0] = UInt8(ascii: "c")
        #expect(words(block) == "a header's checksum is wrong: the file is damaged")
    }

    @Test(arguments: ["1", "2", "3", "4", "5", "6", "7", "x", "g", "L", "K", "\0", "\u{1B}"])
    func linksDevicesFoldersAndExtensionsAreRefused(type: String) {
        let found = words(changed(156, type))
        #expect(found?.hasPrefix("\"bin/sample\" is no regular file (type ") == true)
        #expect(found?.unicodeScalars.contains { $0.value < 0x20 } == false)
    }

    @Test(arguments: [
        (100, "0004755"), (100, "0000777"), (100, "0000600"), (108, "0001750"), (116, "0000001"), (136, "14000000000"),
        (157, "/etc/passwd"), (265, "root"), (297, "root"), (329, "0000001"), (345, "folder"), (500, "x"),
        (124, "00000001234 "), (124, "      1234\0\0"), (11, "hidden"), (263, "  "),
    ])
    func whatACanonicalHeaderDoesNotHoldIsRefused(offset: Int, text: String) {
        #expect(words(changed(offset, text)) != nil, "\(text) at \(offset)")
    }

    @Test func sizesThatAreNoPlainOctalNumberAreRefused() {
        for size in ["-0000001234", "0x000001234", "99999999999", "\u{7F}0000001234"] {
            #expect(words(changed(124, size)) == "\"bin/sample\" has a name or a size that cannot be read")
        }
        var large = header
        large[124] = 0x80  // the GNU extension for sizes beyond 8 GiB
        #expect(words(TarHeaderTests.summed(large)) == "\"bin/sample\" has a name or a size that cannot be read")
    }
}
