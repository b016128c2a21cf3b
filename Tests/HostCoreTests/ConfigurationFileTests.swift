import Foundation
import Testing

@testable import HostCore

@Suite struct ConfigurationFileTests {
    let folder: TestHome
    init() throws { folder = try TestHome() }
    private var path: String { folder.home.configuration }

    private func refused() -> HostError? {
        refusal { () throws(HostError) in try ConfigurationFile.read(folder.home) }
    }

    @Test func noFileIsTheStandardAndHasNoDigest() throws {
        let file = try ConfigurationFile.read(folder.home)
        #expect(file.configuration == .standard && file.sha256 == nil)
    }

    @Test(arguments: [0o600, 0o644, 0o640] as [mode_t])
    func aFileThatOnlyItsOwnerMayWriteIsTaken(mode: mode_t) throws {
        try folder.write(#"{"budget":{"processes":3}}"#, to: path, mode: mode)
        let file = try ConfigurationFile.read(folder.home)
        #expect(file.configuration.budget.processes == 3)
        // printf '{"budget":{"processes":3}}' | sha256sum
        #expect(file.sha256 == "b1719aa159b6583a8d7ffbdc555412feddd3491c1d018c5965ff0a90ad7f70c2")
    }

    @Test(arguments: [0o620, 0o602, 0o666] as [mode_t])
    func aFileThatOthersMayWriteIsRefusedWithItsMode(mode: mode_t) throws {
        try folder.write("{}", to: path, mode: mode)
        let error = refused()
        #expect(error?.code == .invalidConfiguration)
        let words = "\(path) can be written by other users (mode \(String(mode, radix: 8)))"
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "taken")")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func aFileOfAStrangerIsRefusedWithItsOwner() throws {
        try folder.write("{}", to: path)
        try #require(chown(path, 4_242, 4_242) == 0)
        #expect(refused()?.message.contains("belongs to uid 4242, neither to nexusd's uid 0 nor to root") == true)
    }

    @Test func whatIsNoRegularFileIsRefused() throws {
        try folder.write("{}", to: path + ".other")
        try #require(symlink(path + ".other", path) == 0)
        #expect(refused()?.code == .invalidConfiguration)
        try #require(unlink(path) == 0 && mkdir(path, 0o700) == 0)
        #expect(refused()?.message.contains("is not a regular file") == true)
        try #require(rmdir(path) == 0 && mkfifo(path, 0o600) == 0)
        #expect(refused()?.message.contains("is not a regular file") == true)
    }

    @Test func aMistakeIsToldWithTheFile() throws {
        try folder.write(#"{"budget":{"processes":0}}"#, to: path)
        #expect(
            refused()?.message
                == "the configuration was not taken: \(path): budget.processes must be an integer from 1 "
                + "to 10000, found 0; correct it and try again")
        try folder.write(String(repeating: " ", count: (1 << 20) + 1), to: path)
        #expect(refused()?.message.contains("is too long") == true)
    }
}
