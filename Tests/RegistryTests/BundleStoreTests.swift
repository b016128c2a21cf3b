import Foundation
import Testing

@testable import Registry

@Suite struct BundleStoreTests {
    let folder: TestFolder
    let store: BundleStore

    init() throws {
        folder = try TestFolder()
        store = try BundleStore(directory: "\(folder.path)/store")
    }

    @Test func anExecutableIsStoredPrivatelyUnderItsDigest() throws {
        let bundle = try SampleBundle.bundle()
        try store.save(bundle)
        try store.save(bundle)
        #expect(try store.executable(digest: bundle.executableDigest) == bundle.executable)
        #expect(try folder.mode("store") == 0o700)
        #expect(try folder.mode("store/sha256") == 0o700)
        #expect(try folder.mode("store/sha256/\(bundle.executableDigest)") == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/store/sha256").count == 1)
    }

    @Test func anyChangedByteIsADigestMismatch() throws {
        let bundle = try SampleBundle.bundle()
        try store.save(bundle)
        let name = "store/sha256/\(bundle.executableDigest)"
        for position in bundle.executable.indices {
            var bytes = bundle.executable
            bytes[position] ^= 1
            try folder.write(bytes, to: name)
            let error = refusal { () throws(RegistryError) in try store.executable(digest: bundle.executableDigest) }
            #expect(error?.code == .digestMismatch)
            #expect(
                error?.message
                    == "\(folder.path)/\(name) has SHA-256 \(PluginBundle.digest(of: bytes)), not that of its name: "
                    + "it was changed; install the plugin again")
        }
        try store.save(bundle)
        #expect(try store.executable(digest: bundle.executableDigest) == bundle.executable)
    }

    @Test func digestThatIsAPathFindsNothing() throws {
        try folder.write(SampleBundle.program, to: "secret")
        for digest in ["../../secret", "", ".", "..", "/etc/passwd", "a\0b"] {
            #expect(refusal { () throws(RegistryError) in try store.executable(digest: digest) } != nil)
        }
        store.remove(digest: "../../secret")
        #expect(try folder.bytes("secret") == SampleBundle.program)
    }

    @Test func linkInPlaceOfAnExecutableIsNotFollowed() throws {
        let bundle = try SampleBundle.bundle()
        try folder.write(bundle.executable, to: "elsewhere")
        try #require(symlink("\(folder.path)/elsewhere", "\(folder.path)/store/sha256/\(bundle.executableDigest)") == 0)
        #expect(refusal { () throws(RegistryError) in try store.executable(digest: bundle.executableDigest) } != nil)
    }

    @Test func linkInPlaceOfTheNewFileIsNotWrittenThrough() throws {
        let bundle = try SampleBundle.bundle()
        try folder.write([1], to: "victim")
        try #require(
            symlink("\(folder.path)/victim", "\(folder.path)/store/sha256/\(bundle.executableDigest).new") == 0)
        try store.save(bundle)
        #expect(try folder.bytes("victim") == [1])
        #expect(try store.executable(digest: bundle.executableDigest) == bundle.executable)
    }

    @Test func manySaversOfOneExecutableDoNotDisturbEachOther() async throws {
        let (bundle, store) = (try SampleBundle.bundle(), store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 { group.addTask { try store.save(bundle) } }
            try await group.waitForAll()
        }
        #expect(try store.executable(digest: bundle.executableDigest) == bundle.executable)
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/store/sha256")
        #expect(left == [bundle.executableDigest])
    }

    @Test func removalTakesTheFileAndMayBeRepeated() throws {
        let bundle = try SampleBundle.bundle()
        try store.save(bundle)
        store.remove(digest: bundle.executableDigest)
        store.remove(digest: bundle.executableDigest)
        let error = refusal { () throws(RegistryError) in try store.executable(digest: bundle.executableDigest) }
        #expect(error?.code == .unreadable)
    }

    @Test func aStoreThatCannotBeMadeIsNamed() {
        let error = refusal { () throws(RegistryError) in try BundleStore(directory: "/nonexistent/store") }
        #expect(error?.code == .storeFailed)
        #expect(
            error?.message == "the directory /nonexistent/store could not be made: No such file or directory")
    }
}
