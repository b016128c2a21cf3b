import Foundation
import Testing

@testable import HostCore

@Suite struct HomeTests {
    let folder: TestHome
    init() throws { folder = try TestHome() }

    @Test func aNewHomeAndItsParentsArePrivate() throws {
        let home = Home("\(folder.home.path)/a/b/c")
        try home.prepare()
        for path in ["a", "a/b", "a/b/c"] { #expect(try folder.mode("\(folder.home.path)/\(path)") == 0o700) }
        try home.prepare()
    }

    @Test func aHomeThatOthersMayReadIsClosedToThem() throws {
        let path = "\(folder.home.path)/loose"
        try #require(mkdir(path, 0o755) == 0 && chmod(path, 0o755) == 0)
        try Home(path).prepare()
        #expect(try folder.mode(path) == 0o700)
    }

    @Test(arguments: [0o777, 0o720, 0o702, 0o1777] as [mode_t])
    func homeThatOthersMayWriteIsRefusedBecauseTheyMayHavePlantedFiles(mode: mode_t) throws {
        let path = "\(folder.home.path)/planted"
        try #require(mkdir(path, 0o700) == 0 && chmod(path, mode) == 0)
        let error = refusal { () throws(HostError) in try Home(path).prepare() }
        #expect(error?.code == .storageFailed)
        #expect(
            error?.message
                == "the home \(path) can be written by other users; check what is in it, then run: chmod 700 \(path)")
    }

    @Test func homeThatIsALinkIsRefusedHoweverItIsSpelt() throws {
        let link = "\(folder.home.path)/link"
        try #require(mkdir("\(folder.home.path)/real", 0o700) == 0 && symlink("\(folder.home.path)/real", link) == 0)
        for spelling in [link, link + "/", link + "//", link + "/."] {
            let error = refusal { () throws(HostError) in try Home(spelling).prepare() }
            #expect(error?.code == .storageFailed, "\(spelling)")
            #expect(error?.message.contains("is not a directory; choose another with --home") == true)
        }
    }

    @Test func aFileIsNoHome() throws {
        let path = "\(folder.home.path)/file"
        try folder.write("", to: path)
        #expect(
            refusal { () throws(HostError) in try Home(path).prepare() }?.message
                == "the home \(path) is not a directory; choose another with --home")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a directory away"))
    func aHomeOfSomebodyElseIsRefusedWithBothNames() throws {
        let path = "\(folder.home.path)/other"
        try #require(mkdir(path, 0o700) == 0 && chown(path, 12_345, 12_345) == 0)
        #expect(
            refusal { () throws(HostError) in try Home(path).prepare() }?.message
                == "the home \(path) belongs to uid 12345, nexusd runs as uid 0; chown it or use --home")
    }

    @Test func everythingLiesInsideTheHome() {
        let home = Home("/srv/nexus")
        let paths = [
            home.database, home.masterKey, home.firstToken, home.socket, home.processFile, home.lock, home.store,
            home.audit, home.log,
        ]
        #expect(paths.allSatisfy { $0.hasPrefix("/srv/nexus/") })
        #expect(Set(paths).count == paths.count)
    }
}
