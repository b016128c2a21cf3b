import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct LockedMemoryTests {
    private func secret(_ bytes: [UInt8]) -> SecretBytes { bytes.withUnsafeBytes { LockedMemory.secret(copying: $0) } }

    /// Read to its end: the kernel gives a page at a time, and Foundation takes a short read for the last.
    private func smaps() throws -> String {
        let file = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &part, part.count)
            try #require(count >= 0)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += part[..<count]
        }
    }

    /// The flags that the kernel shows of the mapping in which a secret lies (proc(5), smaps).
    private func flags(of secret: SecretBytes) throws -> Set<Substring> {
        let address = try #require(secret.withBytes { $0.baseAddress.map { UInt(bitPattern: $0) } })
        let text = try smaps()
        var isInside = false
        for line in text.split(separator: "\n") {
            let range = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            if range.count == 2 { isInside = (range[0]..<range[1]).contains(address) }
            if isInside, line.hasPrefix("VmFlags:") { return Set(line.split(separator: " ").dropFirst()) }
        }
        return []
    }

    @Test(arguments: [1, 32, 256, 257, HostLimits.secretBytes])
    func aSecretLiesInMemoryThatIsLockedAndInNoCore(count: Int) throws {
        let secret = secret([UInt8](repeating: 0xA5, count: count))
        #expect(secret.withBytes { Array($0) } == [UInt8](repeating: 0xA5, count: count))
        #expect(try flags(of: secret).isSuperset(of: ["lo", "dd"]))
        #expect(try !flags(of: SecretBytes(copying: [1])).contains("lo"))
    }

    @Test func whatTheStoreOpensLiesThere() throws {
        let store = try Vault().start()
        try store.put("value")
        #expect(try flags(of: try #require(try store.open(Vault.address()))).isSuperset(of: ["lo", "dd"]))
    }

    @Test func aSlotIsZeroBeforeItIsUsedAgain() throws {
        var address: UnsafeRawPointer?
        do {
            let secret = secret([UInt8](repeating: 0x5A, count: 200))
            address = secret.withBytes { $0.baseAddress }
            try #require(address?.load(as: UInt8.self) == 0x5A)
        }
        // Another test may have taken the slot since; it then holds its bytes, never these.
        let left = try #require(address).loadUnaligned(fromByteOffset: 100, as: UInt64.self)
        #expect(left != 0x5A5A_5A5A_5A5A_5A5A)
    }

    @Test func moreSecretsThanSlotsAreAllKept() {
        let all = (0..<1_500).map { secret(Array("secret \($0)".utf8)) }
        #expect(all.enumerated().allSatisfy { $1.withBytes { Array($0) } == Array("secret \($0)".utf8) })
    }
}
