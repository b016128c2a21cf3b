import Foundation
import PluginABI
import Testing

@testable import HostCore

@Suite struct RedactedStreamTests {
    private static let secret = "s3cret/välue"
    private let redactor = Redactor()

    init() {
        redactor.learn(
            [Self.secret, "first-sec", "secret-two"].map {
                Credential(name: "key", value: SecretBytes(copying: Array($0.utf8)))
            })
    }

    private func passed(_ pieces: [ArraySlice<UInt8>]) -> [UInt8] {
        var stream = RedactedStream(redactor)
        return pieces.flatMap { stream.pass(Array($0)) } + stream.pass([], isLast: true)
    }

    private static let base64 = Data(secret.utf8).base64EncodedString()
    private static let texts = [
        "it is \(secret) as said", "\(secret)", "\(secret)\(secret)", "a first-secret-two b", "x\(base64)y",
        "first-sec\(secret)first-secret-two", "nothing to see here, and s3cret/väl is none", "",
    ]

    @Test(arguments: texts)
    func aSecretIsTakenOutWhereverTheBytesAreCut(text: String) {
        let bytes = Array(text.utf8)
        let whole = redactor.redact(bytes: bytes)
        for first in 0...bytes.count {
            #expect(passed([bytes[..<first], bytes[first...]]) == whole, "cut at \(first)")
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]]
                #expect(passed(pieces) == whole, "cut at \(first) and \(second)")
            }
        }
        #expect(passed(bytes.indices.map { bytes[$0...$0] }) == whole, "byte by byte")
    }

    @Test func noMoreIsHeldBackThanASecretCouldNeed() {
        var stream = RedactedStream(redactor)
        let longest = redactor.find(in: []).longest
        #expect(longest >= Self.secret.utf8.count)
        #expect(stream.pass([UInt8](repeating: 0x2E, count: longest + 9)).count == 10)
        #expect(stream.pass([UInt8](repeating: 0x2E, count: 5)).count == 5)
        var free = RedactedStream(Redactor())
        #expect(free.pass([1, 2, 3]) == [1, 2, 3])
    }

    /// Such a secret overlaps with itself; more may go than must, but none of it stays.
    @Test func aSecretThatRepeatsItselfLeavesLessThanItself() {
        redactor.learn([Credential(name: "key", value: SecretBytes(copying: Array("aaaaaaaa".utf8)))])
        for count in 8...40 {
            let bytes = [UInt8](repeating: 0x61, count: count)
            for first in 0...count {
                let text = String(decoding: passed([bytes[..<first], bytes[first...]]), as: UTF8.self)
                #expect(text.contains(Redactor.mark) && !text.contains("aaaaaaaa"))
            }
        }
    }
}
