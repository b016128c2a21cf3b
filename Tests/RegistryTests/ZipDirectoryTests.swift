import Foundation
import Testing

@testable import Registry

@Suite struct ZipDirectoryTests {
    private func lists(_ bytes: [UInt8], _ name: String = "__main__.py") -> Bool {
        ZipDirectory(of: bytes)?.lists(name) == true
    }

    @Test func everyFileIsFoundByItsWholeName() {
        let zip = SampleBundle.zip(["a.py", "__main__.py", "nexus_plugin/__init__.py"])
        for name in ["a.py", "__main__.py", "nexus_plugin/__init__.py"] { #expect(lists(zip, name)) }
        for name in ["", "a", "a.pyc", "__init__.py", "A.py"] { #expect(!lists(zip, name)) }
    }

    @Test func whatStandsBeforeAZipAndACommentAfterItDoNotMatter() {
        #expect(lists(Array("#!/usr/bin/python3\n".utf8) + SampleBundle.zip))
        #expect(lists(SampleBundle.zip(["__main__.py"], comment: "made for a test")))
        let longest = String(repeating: "c", count: 0xFFFF)
        #expect(lists(SampleBundle.zip(["__main__.py"], comment: longest)))
        #expect(!lists(SampleBundle.zip(["__main__.py"], comment: longest) + [0x63]))
    }

    @Test func aZipThatIsCutOffAnywhereListsNothing() {
        let zip = SampleBundle.zip
        for count in 0..<zip.count { #expect(!lists(Array(zip[..<count])), "\(count)") }
    }

    @Test func directoryThatPointsOutOfTheFileIsNotFollowed() {
        let zip = SampleBundle.zip
        let end = zip.count - 22
        // Size and offset of the directory; the length of the name, of what follows it, and where the file begins.
        for place in [end + 12, end + 16, end - 57 + 28, end - 57 + 30, end - 57 + 32, end - 57 + 42] {
            var changed = zip
            changed[place] = 0xFF
            changed[place + 1] = 0xFF
            #expect(!lists(changed), "\(place)")
        }
    }

    @Test func noChangeOfTwoBytesIsATrap() {
        let zip = SampleBundle.zip(["a", "__main__.py"])
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var changed = zip
            for _ in 0..<2 {
                changed[Int.random(in: 0..<zip.count, using: &random)] = [0, 1, 0x7F, 0x80, 0xFF].randomElement() ?? 0
            }
            _ = lists(changed)
        }
    }

    @Test func pythonFindsTheSameFiles() throws {
        let folder = try TestFolder()
        let prefix = Array("#!/usr/bin/python3\n".utf8)
        let zip = SampleBundle.zip
        let moved = prefix + zip
        let samples = [
            zip, moved, prefix + moved, SampleBundle.zip(["src/__main__.py"]),
            SampleBundle.zip(["main.py", "__main__.py"]),
            SampleBundle.zip(["__main__.py"], comment: "c"), Array(zip.dropLast()), Array(zip.dropFirst()),
        ]
        for (index, bytes) in samples.enumerated() {
            try folder.write(bytes, to: "\(index).pyz")
            let python = Process()
            python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            python.arguments = ["-I", "-B", "\(folder.path)/\(index).pyz"]
            python.standardError = FileHandle.nullDevice
            try python.run()
            python.waitUntilExit()
            #expect((python.terminationStatus == 0) == lists(bytes), "sample \(index)")
        }
    }
}
