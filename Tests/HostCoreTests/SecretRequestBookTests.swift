import PluginABI
import Testing

@testable import HostCore

@Suite final class SecretRequestBookTests {
    private var book = SecretRequestBook()

    private func entry(
        _ id: String, owner: String = "alice", names: [String] = ["key"], asker: String = "agent",
        expires: UInt64 = 1_000
    ) -> SecretRequestBook.Entry {
        SecretRequestBook.Entry(
            id: id, tokenHash: SecretRequestKeys.hash(id), codeHash: PairingCode.hash("7K2-9QX"),
            wanted: MissingCredentials(plugin: "bot", names: names, scope: .user, owner: owner), asker: asker,
            expires: expires)
    }

    private let right = PairingCode.hash("7k29qx")
    private let wrong = PairingCode.hash("7K2-9QY")

    @Test func aRequestIsWonOnce() throws {
        try book.add(entry("a"))
        let hash = SecretRequestKeys.hash("a")
        guard case .won(let won) = book.claim(hash, codeHash: right, now: 1) else {
            Issue.record("not won")
            return
        }
        #expect(won.id == "a" && won.state == .submitted)
        #expect(book.claim(hash, codeHash: right, now: 1) == .unknown)
        #expect(book.claim(hash, codeHash: wrong, now: 1) == .unknown)
        #expect(book.find(hash, now: 1) == nil)
        #expect(book.end("a", as: .stored)?.state == .stored)
        #expect(book.end("a", as: .closed) == nil, "what has ended stays as it is")
        #expect(book.state(of: "a") == .stored)
    }

    @Test func theFifthWrongCodeEndsIt() throws {
        try book.add(entry("a"))
        let hash = SecretRequestKeys.hash("a")
        for left in [4, 3, 2, 1, 0] {
            guard case .wrongCode(let entry) = book.claim(hash, codeHash: wrong, now: 1) else {
                Issue.record("\(left)")
                return
            }
            #expect(entry.attemptsLeft == left)
        }
        #expect(book.state(of: "a") == .refused)
        #expect(book.claim(hash, codeHash: right, now: 1) == .unknown, "the right one comes too late")
    }

    @Test func aRequestEndsWithItsTimeAndNotBefore() throws {
        try book.add(entry("a"))
        let hash = SecretRequestKeys.hash("a")
        #expect(book.sweep(now: 999).isEmpty && book.find(hash, now: 999) != nil)
        #expect(book.find(hash, now: 1_000) == nil, "also before it was swept")
        #expect(book.claim(hash, codeHash: right, now: 1_000) == .unknown)
        #expect(book.sweep(now: 1_000).map(\.id) == ["a"])
        #expect(book.sweep(now: 2_000).isEmpty && book.state(of: "a") == .expired)
    }

    @Test func aSubmissionThatIsBeingStoredDoesNotExpire() throws {
        try book.add(entry("a"))
        _ = book.claim(SecretRequestKeys.hash("a"), codeHash: right, now: 999)
        #expect(book.sweep(now: 5_000).isEmpty && book.state(of: "a") == .submitted)
    }

    @Test func lookingUsesNothingUpAndIsNotedOnce() throws {
        try book.add(entry("a"))
        let hash = SecretRequestKeys.hash("a")
        #expect(book.noteOpened(hash, now: 1) == true)
        #expect(book.noteOpened(hash, now: 1) == false && book.find(hash, now: 1)?.state == .opened)
        #expect(book.noteOpened(SecretRequestKeys.hash("b"), now: 1) == false)
    }

    @Test func openRequestsAreBoundedForEachOwnerAndInAll() throws {
        for number in 0..<HostLimits.secretFormsOfOneOwner { try book.add(entry("a\(number)")) }
        let refused = refusal { () throws(HostError) in try book.add(entry("one more")) }
        #expect(refused?.code == .unavailable && refused?.message.contains("alice") == true)
        for number in 0..<(HostLimits.secretForms - HostLimits.secretFormsOfOneOwner) {
            try book.add(entry("b\(number)", owner: "user-\(number)", asker: "agent-\(number % 8)"))
        }
        #expect(refusal { () throws(HostError) in try book.add(entry("z", owner: "zoe")) } != nil)
        _ = book.end("a0", as: .closed)
        try book.add(entry("one more"))
    }

    /// An actor that may act for a group has as many owners as it likes.
    @Test func oneAskerDoesNotUseUpTheFormsOfAll() throws {
        for number in 0..<HostLimits.secretFormsOfOneAsker {
            try book.add(entry("a\(number)", owner: "team/\(number)"))
        }
        let refused = refusal { () throws(HostError) in try book.add(entry("one more", owner: "team/zoe")) }
        #expect(refused?.message.contains("32 of them for agent") == true && refused?.retryable == true)
        try book.add(entry("z", owner: "zoe", asker: "other"))
        _ = book.end("a0", as: .closed)
        try book.add(entry("one more", owner: "team/zoe"))
    }

    @Test func endedRequestsAreForgottenInTheEnd() throws {
        for number in 0..<1_000 {
            try book.add(entry("\(number)"))
            _ = book.end("\(number)", as: .stored)
        }
        #expect(book.entries.count <= HostLimits.secretForms * 2 && book.state(of: "999") == .stored)
    }

    @Test func anAnswerHelpsOnlyThoseWhoAskedForNoMore() throws {
        try book.add(entry("same"))
        try book.add(entry("more", names: ["key", "other"]))
        try book.add(entry("foreign", owner: "bob"))
        #expect(book.answered(by: entry("x").wanted).map(\.id) == ["same"])
    }

    @Test func comparisonSeesEveryByte() {
        let bytes = [UInt8](0..<32)
        #expect(ConstantTime.equal(bytes, bytes))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(!ConstantTime.equal(bytes, other))
        }
        #expect(!ConstantTime.equal(bytes, Array(bytes.dropLast())))
    }
}
