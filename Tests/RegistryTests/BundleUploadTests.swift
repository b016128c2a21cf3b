import Testing

@testable import Registry

@Suite struct BundleUploadTests {
    @Test func anUploadIsReadAsItWasMade() throws {
        let bundle = try SampleBundle.bundle()
        let read = try PluginBundle(upload: bundle.upload)
        #expect(read.manifestBytes == bundle.manifestBytes && read.executable == bundle.executable)
        #expect(bundle.upload.count <= PluginBundle.uploadLimit)
    }

    @Test func uploadTruncatedAtAnyByteIsRefusedOrShorter() throws {
        let bundle = try SampleBundle.bundle()
        let upload = bundle.upload
        let least = 4 + bundle.manifestBytes.count + 4
        for end in 0..<least {
            let error = refusal { () throws(RegistryError) in try PluginBundle(upload: Array(upload[..<end])) }
            #expect(error != nil, "cut at \(end)")
        }
        for end in 0..<4 {
            let error = refusal { () throws(RegistryError) in try PluginBundle(upload: Array(upload[..<end])) }
            #expect(error?.message == "the upload is cut off")
        }
        for end in least..<upload.count {
            #expect(try PluginBundle(upload: Array(upload[..<end])).executable.count == end - least + 4)
        }
    }

    @Test(
        arguments: [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80], [1, 0, 0x10, 0], [0xFF, 0xFF, 0xFF, 0x7F]] as [[UInt8]])
    func announcedLengthsBeyondTheLimitAreRefused(length: [UInt8]) {
        let error = refusal { () throws(RegistryError) in try PluginBundle(upload: length + [1, 2, 3]) }
        #expect(error?.code == .unreadable)
        #expect(error?.message.hasPrefix("the upload announces a manifest of ") == true)
    }

    @Test func changedUploadsNeverTrap() throws {
        let upload = try SampleBundle.bundle().upload
        for position in 0..<upload.count {
            for bit in 0..<8 {
                var bytes = upload
                bytes[position] ^= 1 << UInt8(bit)
                _ = try? PluginBundle(upload: bytes)
            }
        }
    }
}
