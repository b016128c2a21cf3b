import Foundation
import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct VaultJournalTests {
    private let address = Vault.address()
    private let one = SecretMark(version: 1, digest: [1])
    private let two = SecretMark(version: 2, digest: [2])

    private func entry(_ event: String, _ epoch: Int, _ change: VaultChange? = nil) -> [UInt8] {
        let members: [(key: String, value: JSONValue)] = [
            ("kind", "vault"), ("event", .string(event)), ("epoch", JSONValue(epoch)), ("set", .string("\(epoch)")),
        ]
        return JSONValue.object(JSONObject(members + (change?.members ?? []))).encoded()
    }
    private func adoption(_ marks: [SecretAddress: SecretMark]) -> [[UInt8]] {
        let change = VaultChange.adopted(marks)
        let records = change.records.map { part in
            JSONValue.object(JSONObject([("kind", "vault"), ("event", "records"), ("epoch", 1)] + part)).encoded()
        }
        return records + [entry("intent", 1, change), entry("done", 1)]
    }
    private func journal(_ entries: [[UInt8]]) -> VaultJournal { VaultJournal(entries: entries) }

    @Test func everyChangeComesBackFromItsEntry() throws {
        let changes: [VaultChange] = [
            .set(address, one), .removed(address), .pluginRemoved("bot"), .rotated, .adopted([:]),
        ]
        for change in changes {
            #expect(VaultChange(.object(JSONObject(change.members))) == change)
        }
        #expect(VaultChange(["change": "of-the-future"]) == nil)
    }

    @Test func onlySettledChangesCountAndOpenOnesAreKnown() {
        let journal = journal([
            entry("intent", 1, .set(address, one)), entry("done", 1), entry("intent", 2, .set(address, two)),
        ])
        #expect(journal.settled?.epoch == 1 && journal.open.map(\.epoch) == [2] && journal.newestEpoch == 2)
        #expect(journal.differences(from: [address: one]).isEmpty)
    }

    @Test func abandonedIntentsAreGoneAndALaterEndSettlesEarlierOnes() {
        let journal = journal([
            entry("intent", 1, .set(address, one)), entry("intent", 2, .removed(address)), entry("abandoned", 2),
            entry("intent", 3, .set(address, two)), entry("done", 3), Array("not json \"kind\":\"vault\"".utf8),
            Array(#"{"kind":"call"}"#.utf8),
        ])
        #expect(journal.open.isEmpty && journal.settled?.epoch == 3)
        #expect(journal.differences(from: [address: two]).isEmpty)
    }

    @Test func aLargeSetIsAdoptedInEntriesOfBoundedLength() {
        let marks = Dictionary(uniqueKeysWithValues: (0..<1_201).map { (Vault.address("k\($0)"), one) })
        let entries = adoption(marks)
        #expect(entries.count == 5 && entries.allSatisfy { $0.count < 256 << 10 })
        #expect(journal(entries).differences(from: marks).isEmpty)
        #expect(journal(entries).differences(from: [:]).count == 1_201)
    }

    @Test func differencesNameEachRecord() {
        let other = Vault.address("other")
        let journal = journal(
            adoption([address: two, other: one]) + [
                entry("intent", 2, .removed(other)), entry("done", 2),
            ])
        let words = { (marks: [SecretAddress: SecretMark]) in journal.differences(from: marks) }
        #expect(words([:]) == ["the secret key of alice for bot, version 2, is missing"])
        #expect(words([address: one]) == ["the secret key of alice for bot is at version 1 instead of 2"])
        #expect(
            words([address: SecretMark(version: 2, digest: [9])])
                == ["the secret key of alice for bot, version 2, is not the record that was stored"])
        #expect(
            words([address: two, other: one])
                == ["the secret other of alice for bot was removed and is there again"])
        #expect(
            words([address: two, Vault.address("new"): one]) == ["the secret new of alice for bot was added"])
    }
}
