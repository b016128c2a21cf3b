import PluginABI
import Testing

@Suite struct SecretBytesTests {
    private let secret = SecretBytes(copying: Array("hunter2-hunter2".utf8))

    @Test func noRenderingShowsASecret() {
        let optional: SecretBytes? = secret
        for value in [secret, [secret], ["key": secret], optional as Any, Credential(name: "key", value: secret)]
            as [Any]
        {
            for text in Renderings.all(of: value) {
                #expect(!text.contains("hunter2"))
                #expect(!text.contains("104, 117"))
                #expect(!text.contains("0x"), "an address leads to the bytes: \(text)")
            }
        }
        #expect("\(secret)" == "‹secret›")
        #expect(secret.debugDescription == "‹secret›")
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect("\(Credential(name: "key", value: secret))" == "Credential(name: \"key\", value: ‹secret›)")
    }

    @Test func aSecretIsNotCodable() {
        #expect(!(secret as Any is any Encodable))
        #expect(!(Credential(name: "key", value: secret) as Any is any Encodable))
    }

    @Test func theBytesAreLentExactly() {
        #expect(secret.count == 15)
        #expect(secret.withBytes { Array($0) } == Array("hunter2-hunter2".utf8))
        #expect(SecretBytes(copying: []).withBytes { $0.count } == 0)
        #expect(SecretBytes(copying: [0, 255]).withBytes { Array($0) } == [0, 255])
    }

    @Test func wipingReallyZeroes() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: [UInt8](repeating: 0xAA, count: 64))
        SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: buffer[8..<56]))
        #expect(
            buffer.elementsEqual(
                [UInt8](repeating: 0xAA, count: 8) + [UInt8](repeating: 0, count: 48)
                    + [UInt8](repeating: 0xAA, count: 8)))
        SecretBytes.wipe(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
}
