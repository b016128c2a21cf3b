import Foundation
import Testing

@testable import HostCore

@Suite struct HomeLockTests {
    let folder: TestHome
    var home: Home { folder.home }

    init() throws { folder = try TestHome() }

    @Test func theHolderIsNamedInThePIDFileWhileItLives() throws {
        do {
            let lock = try HomeLock(home)
            let text = try folder.bytes(home.processFile)
            #expect(text == Array("\(getpid())\n".utf8))
            #expect(try folder.mode(home.processFile) == 0o600)
            withExtendedLifetime(lock) {}
        }
        #expect(access(home.processFile, F_OK) != 0)
    }

    @Test func aSecondHolderIsRefusedAndTheFirstKeepsItsPIDFile() throws {
        let lock = try HomeLock(home)
        for _ in 0..<3 {
            let error = try #require(refusal { () throws(HostError) in try HomeLock(home) })
            #expect(error.code == .homeInUse)
            #expect(
                error.message
                    == "the home \(home.path) is in use by nexusd, process \(getpid()); stop it with `nexus down` "
                    + "or choose another --home")
            #expect(access(home.processFile, F_OK) == 0)
        }
        withExtendedLifetime(lock) {}
    }

    @Test func deathReleasesTheLockAndAStalePIDFileIsReplaced() async throws {
        let path = home.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let lock = try HomeLock(Home(path))
            kill(getpid(), SIGKILL)
            withExtendedLifetime(lock) {}
        }
        #expect(access(home.processFile, F_OK) == 0)
        let lock = try HomeLock(home)
        #expect(try folder.bytes(home.processFile) == Array("\(getpid())\n".utf8))
        withExtendedLifetime(lock) {}
    }

    @Test func lockThatIsALinkElsewhereIsRefused() throws {
        try folder.write("keep", to: "\(home.path)/victim")
        try #require(symlink("\(home.path)/victim", home.lock) == 0)
        #expect(refusal { () throws(HostError) in try HomeLock(home) }?.code == .storageFailed)
        #expect(try folder.bytes("\(home.path)/victim") == Array("keep".utf8))
    }
}
