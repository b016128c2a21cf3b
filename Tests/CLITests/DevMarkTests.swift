import Foundation
import Testing

@testable import nexus

struct DevMarkTests {
    @Test func aMarkIsTakenOnceItsMakerIsGone() throws {
        let folder = try AuthorFolder()
        #expect(DevMark.take(in: folder.path) == nil, "there is none")
        try {
            let mark = try #require(DevMark.make(in: folder.path))
            mark.plugin = "a-long-name"
            mark.plugin = "echo"
            #expect(DevMark.take(in: folder.path) == nil, "its maker is here")
            #expect(DevMark.make(in: folder.path) == nil)
        }()
        let mark = try #require(DevMark.take(in: folder.path))
        #expect(mark.plugin == "echo")
        mark.plugin = nil
        #expect(mark.plugin == nil)
    }

    @Test func aLinkInItsPlaceIsNotFollowed() throws {
        let folder = try AuthorFolder()
        let other = try folder.write("other", "mine")
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/\(DevMark.name)", withDestinationPath: other)
        #expect(DevMark.take(in: folder.path) == nil && DevMark.make(in: folder.path) == nil)
    }
}
