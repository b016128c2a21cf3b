import Foundation
import PluginABI
import Testing

@testable import Registry

@Suite struct PluginBundleTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func load() -> RegistryError? {
        refusal { () throws(RegistryError) in try PluginBundle.load(directory: folder.path) }
    }
    private func put(_ manifest: [UInt8], _ program: [UInt8]? = SampleBundle.program) throws {
        try folder.write(manifest, to: "plugin.json")
        if let program { try folder.write(program, to: "bin/sample") }
    }

    @Test func aGoodDirectoryIsReadWhole() throws {
        try put(SampleBundle.manifest())
        let bundle = try PluginBundle.load(directory: folder.path)
        #expect(bundle.manifest.name == "sample")
        #expect(bundle.manifestBytes == SampleBundle.manifest())
        #expect(bundle.executable == SampleBundle.program)
        #expect(bundle.executableDigest == PluginBundle.digest(of: SampleBundle.program))
    }

    @Test func theDigestIsSHA256InLowerCaseHex() {
        #expect(
            PluginBundle.digest(of: Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func anEmptyOrMissingDirectoryIsRefusedByName() throws {
        #expect(load()?.description == "\(folder.path)/plugin.json cannot be read: No such file or directory")
        #expect(load()?.code == .unreadable)
        let missing = refusal { () throws(RegistryError) in try PluginBundle.load(directory: "/nonexistent") }
        #expect(missing?.message == "/nonexistent/plugin.json cannot be read: No such file or directory")
    }

    @Test func manifestsAreRefusedWithFieldAndReason() throws {
        let cases = [
            ("{", "plugin.json: expected a member name (at byte 1)"),
            ("{}", "manifest: is missing"),
            (
                String(decoding: SampleBundle.manifest(permissions: #"{"net.raw":[]}"#), as: UTF8.self),
                "permissions.net.raw: unknown permission; "
                    + "known here: credentials, filesystem, http.fetch, kv, net.connect, resources"
            ),
            (
                String(decoding: SampleBundle.manifest(executable: "../../bin/sh"), as: UTF8.self),
                "runtime.executable: \"../../bin/sh\" must be a path inside the plugin's directory, without . or .."
            ),
        ]
        for (text, reason) in cases {
            try put(Array(text.utf8))
            #expect(load()?.code == .invalidManifest)
            #expect(load()?.message.hasPrefix("\(folder.path)/plugin.json was refused at ") == true)
            #expect(load()?.message == "\(folder.path)/plugin.json was refused at \(reason)")
        }
    }

    @Test func missingExecutableIsRefusedByFieldAndPath() throws {
        try put(SampleBundle.manifest(), nil)
        #expect(load()?.code == .missingExecutable)
        #expect(
            load()?.message == "runtime.executable: \(folder.path)/bin/sample cannot be read: No such file or directory"
        )
    }

    @Test func scriptsAndEmptyFilesAreNoExecutables() throws {
        for program in [[], Array("#!/bin/sh\n".utf8), Array("\u{7F}EL".utf8), Array("MZ".utf8)] {
            try put(SampleBundle.manifest(), program)
            #expect(load()?.code == .missingExecutable)
            #expect(
                load()?.message == "runtime.executable: \"bin/sample\" is not an ELF program; build it for Linux first")
        }
    }

    private func python(_ program: [UInt8]) -> String? {
        refusal { () throws(RegistryError) in
            try PluginBundle(
                manifestBytes: SampleBundle.manifest(executable: "sample.pyz", runtime: "python"), executable: program)
        }?.message
    }

    @Test func aPythonPluginIsAZipWithOrWithoutAnInterpreterLine() {
        #expect(python(SampleBundle.zip) == nil)
        #expect(python(Array("#!/usr/bin/env python3\n".utf8) + SampleBundle.zip) == nil)
        let longest = "#!" + String(repeating: "x", count: 253) + "\n"
        #expect(python(Array(longest.utf8) + SampleBundle.zip) == nil)
    }

    @Test func whatPythonCannotRunAsAZipIsRefused() {
        let others = [
            [], SampleBundle.program, Array("print(1)".utf8), Array("#!/usr/bin/python3\nprint(1)".utf8),
            Array("#!".utf8), Array("#!\n\n".utf8) + SampleBundle.zip, Array("PK".utf8),
            Array("#!\(String(repeating: "x", count: 254))\n".utf8) + SampleBundle.zip,
        ]
        for program in others {
            #expect(
                python(program) == "runtime.executable: \"sample.pyz\" is not a zip application; "
                    + "make it with `python3 -m nexus_plugin.build`")
        }
    }

    @Test func aZipWithoutMainAtItsRootIsRefused() {
        for names in [[], ["main.py"], ["src/__main__.py"], ["__main__.py/"], ["__main__.pyc"]] {
            // Of no names at all there is only the end of a zip, which is none to start with.
            let what = names.isEmpty ? "a zip application" : "a zip application with __main__.py at its root"
            #expect(
                python(SampleBundle.zip(names)) == "runtime.executable: \"sample.pyz\" is not \(what); "
                    + "make it with `python3 -m nexus_plugin.build`")
        }
    }

    @Test func aZipIsNoNativeProgram() {
        let error = refusal { () throws(RegistryError) in
            try PluginBundle(manifestBytes: SampleBundle.manifest(), executable: SampleBundle.zip)
        }
        #expect(error?.code == .missingExecutable)
    }

    @Test func executableThatIsALinkOutOfTheDirectoryIsRefused() throws {
        try put(SampleBundle.manifest(), nil)
        try folder.write([], to: "bin/other")
        try #require(symlink("/bin/sh", "\(folder.path)/bin/sample") == 0)
        #expect(load()?.code == .missingExecutable)
        #expect(load()?.message.hasPrefix("runtime.executable: \(folder.path)/bin/sample cannot be read: ") == true)
    }

    @Test func folderOnTheWayThatIsALinkOutOfTheDirectoryIsRefused() throws {
        let outside = try TestFolder()
        try outside.write(SampleBundle.program, to: "sample")
        try put(SampleBundle.manifest(), nil)
        try #require(symlink(outside.path, "\(folder.path)/bin") == 0)
        #expect(load()?.code == .missingExecutable)
        withExtendedLifetime(outside) {}
    }

    @Test func manifestThatIsALinkIsRefused() throws {
        try folder.write(SampleBundle.manifest(), to: "elsewhere.json")
        try #require(symlink("\(folder.path)/elsewhere.json", "\(folder.path)/plugin.json") == 0)
        #expect(load()?.code == .unreadable)
    }

    @Test func pipesAndDevicesDoNotHangTheReader() throws {
        try #require(mkfifo("\(folder.path)/plugin.json", 0o600) == 0)
        #expect(load()?.message == "\(folder.path)/plugin.json is not a regular file")
        try #require(unlink("\(folder.path)/plugin.json") == 0)
        try put(SampleBundle.manifest(), nil)
        try folder.write([], to: "bin/other")
        try #require(mkfifo("\(folder.path)/bin/sample", 0o600) == 0)
        #expect(load()?.code == .missingExecutable)
        try #require(unlink("\(folder.path)/bin/sample") == 0 && mkdir("\(folder.path)/bin/sample", 0o700) == 0)
        #expect(load()?.code == .missingExecutable)
    }

    @Test func filesBeyondTheirLimitsAreRefusedBeforeTheyAreRead() throws {
        try put(SampleBundle.manifest(), nil)
        try folder.write(SampleBundle.program, to: "bin/sample")
        try #require(truncate("\(folder.path)/bin/sample", 1 << 40) == 0)
        #expect(load()?.code == .tooLarge)
        #expect(load()?.message == "\(folder.path)/bin/sample is longer than the limit of 33554432 bytes")
        try #require(truncate("\(folder.path)/plugin.json", (1 << 20) + 1) == 0)
        #expect(load()?.message == "\(folder.path)/plugin.json is longer than the limit of 1048576 bytes")
    }

    @Test func executableBeyondTheLimitIsRefusedFromAnUploadToo() {
        let program = SampleBundle.program + [UInt8](repeating: 0, count: PluginBundle.executableLimit)
        let error = refusal { () throws(RegistryError) in
            try PluginBundle(manifestBytes: SampleBundle.manifest(), executable: program)
        }
        #expect(error?.message == "the executable has \(program.count) bytes; the limit is 33554432; strip it")
    }
}
