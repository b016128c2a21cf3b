import AuditLog
import Crypto
import JSONBytes
import PluginABI
import Synchronization
import Testing

@testable import HostCore

@Suite struct SecretRequestsTests {
    private final class Hand: Sendable {
        let time = Mutex<UInt64>(1_000)
        var now: UInt64 { time.withLock { $0 } }
    }

    let folder: TestHome
    let store: SecretStore
    let audit: AuditLog
    let requests: SecretRequests
    private let hand = Hand()
    private let wanted = MissingCredentials(plugin: "bot", names: ["key", "secret"], scope: .user, owner: "alice")

    init() throws {
        folder = try TestHome()
        store = SecretStore(database: try folder.database(), key: MasterKey(key: SymmetricKey(size: .bits256)))
        audit = try AuditLog(directory: folder.home.audit)
        requests = SecretRequests(
            secrets: store, audit: audit, base: { "http://127.0.0.1:1" }, now: { [hand] in hand.now })
    }

    private func token(_ invitation: SecretInvitation) -> String {
        String(invitation.url.split(separator: "/").last ?? "")
    }

    private func values(_ texts: String...) -> [SecretBytes] { texts.map { SecretBytes(copying: Array($0.utf8)) } }

    private func stored(_ name: String, of owner: String = "alice") throws -> String? {
        let address = SecretAddress(scope: .user, owner: owner, plugin: "bot", name: name)
        return try store.open(address)?.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func events() throws -> [String] {
        try audit.tail(1_000).map { try JSONValue(parsing: $0) }.filter { $0["kind"] == "secret-form" }
            .compactMap { $0["event"]?.stringValue }
    }

    @Test func whatIsTypedIsStoredForItsOwnerOnceAndOnRecord() async throws {
        let invitation = try requests.open(wanted, asker: "agent", call: "r1")
        #expect(invitation.url.hasPrefix("http://127.0.0.1:1/secret/") && invitation.seconds == 600)
        #expect(try requests.look(token(invitation), noting: true)?.wanted == wanted)
        #expect(try requests.look(token(invitation), noting: true)?.asker == "agent")
        #expect(requests.state(of: invitation.id) == .opened)
        let outcome = try requests.submit(token(invitation), code: invitation.code, values: values("a", "b"))
        guard case .stored = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try stored("key") == "a" && stored("secret") == "b" && stored("key", of: "bob") == nil)
        #expect(try requests.submit(token(invitation), code: invitation.code, values: values("c", "d")) == .unknown)
        #expect(try stored("key") == "a" && requests.look(token(invitation), noting: true) == nil)
        #expect(try events() == ["created", "opened", "submitted", "stored"])
        let log = try audit.tail(100).map { String(decoding: $0, as: UTF8.self) }.joined()
        #expect(
            !log.contains(token(invitation)) && !log.contains(invitation.code) && log.contains("\"request\":\"r1\""))
        #expect(await requests.wait(for: invitation.id, milliseconds: 60_000) == .stored)
    }

    @Test func ofManyAtOnceOneIsStored() async throws {
        for round in 0..<20 {
            let invitation = try requests.open(wanted, asker: "agent")
            let token = token(invitation)
            let won = await withTaskGroup(of: Int?.self) { group in
                for number in 0..<16 {
                    group.addTask { [requests] in
                        let text = Array("\(round)-\(number)".utf8)
                        let outcome = try? requests.submit(
                            token, code: invitation.code,
                            values: [SecretBytes(copying: text), SecretBytes(copying: text)])
                        if case .stored? = outcome { return number }
                        return nil
                    }
                }
                return await group.reduce(into: []) { if let number = $1 { $0.append(number) } }
            }
            #expect(won.count == 1)
            #expect(try stored("key") == "\(round)-\(won.first ?? -1)" && stored("secret") == stored("key"))
        }
    }

    @Test func wrongCodesAreCountedAndEndIt() throws {
        let invitation = try requests.open(wanted, asker: "agent")
        for left in [4, 3, 2, 1] {
            let outcome = try requests.submit(token(invitation), code: "000-000", values: values("a", "b"))
            guard case .wrongCode(let view) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(view.attemptsLeft == left)
        }
        #expect(try requests.submit(token(invitation), code: "000-000", values: values("a", "b")) == .unknown)
        #expect(try requests.submit(token(invitation), code: invitation.code, values: values("a", "b")) == .unknown)
        #expect(requests.state(of: invitation.id) == .refused)
        #expect(try stored("key") == nil && events() == ["created"] + Array(repeating: "refused", count: 5))
    }

    @Test func anExpiredRequestTakesNothingAndSaysSoInTheLog() throws {
        let invitation = try requests.open(wanted, asker: "agent")
        hand.time.withLock { $0 += HostLimits.secretFormMilliseconds }
        #expect(try requests.submit(token(invitation), code: invitation.code, values: values("a", "b")) == .unknown)
        #expect(try requests.look(token(invitation), noting: true) == nil && stored("key") == nil)
        #expect(try requests.state(of: invitation.id) == .expired && events() == ["created", "expired"])
    }

    @Test func theTimeIsAtMostTenMinutesAndTheAttemptsFive() {
        #expect(HostLimits.secretFormMilliseconds <= 600_000 && HostLimits.secretFormAttempts <= 5)
    }

    @Test func waitingEndsWithTheRequestTheTimeOrTheTask() async throws {
        let first = try requests.open(wanted, asker: "agent")
        let waiting = Task { [requests] in await requests.wait(for: first.id, milliseconds: 600_000) }
        #expect(await requests.wait(for: first.id, milliseconds: 10) == .pending)
        _ = try requests.close(first.id, reason: "declined")
        #expect(await waiting.value == .closed)
        let second = try requests.open(wanted, asker: "agent")
        let cancelled = Task { [requests] in await requests.wait(for: second.id, milliseconds: 600_000) }
        cancelled.cancel()
        #expect(await cancelled.value == .pending)
        #expect(await requests.wait(for: "nobody", milliseconds: 600_000) == nil)
    }

    @Test func oneAnswerEndsTheOtherFormsForTheSame() async throws {
        let (first, second) = (try requests.open(wanted, asker: "agent"), try requests.open(wanted, asker: "other"))
        let foreign = try requests.open(
            MissingCredentials(plugin: "bot", names: ["key"], scope: .user, owner: "bob"), asker: "agent")
        _ = try requests.submit(token(second), code: second.code, values: values("a", "b"))
        #expect(requests.state(of: first.id) == .stored && requests.state(of: foreign.id) == .pending)
        #expect(try requests.submit(token(first), code: first.code, values: values("c", "d")) == .unknown)
    }

    @Test func formsOfARemovedPluginTakeNothing() throws {
        let invitation = try requests.open(wanted, asker: "agent")
        let other = try requests.open(
            MissingCredentials(plugin: "other", names: ["key"], scope: .user, owner: "alice"), asker: "agent")
        try requests.closeAll(of: "bot")
        #expect(requests.state(of: invitation.id) == .closed && requests.state(of: other.id) == .pending)
        #expect(try requests.look(token(invitation), noting: true) == nil)
        #expect(try requests.submit(token(invitation), code: invitation.code, values: values("a", "b")) == .unknown)
        #expect(try stored("key") == nil && events() == ["created", "created", "closed"])
    }

    @Test func aValueThatCannotBeStoredEndsItInWords() throws {
        let invitation = try requests.open(wanted, asker: "agent")
        let refused = refusal { () throws(HostError) in
            try requests.submit(token(invitation), code: invitation.code, values: values("a"))
        }
        #expect(refused?.code == .invalidRequest && requests.state(of: invitation.id) == .failed)
        #expect(try events() == ["created", "failed"] && stored("key") == nil)
    }

    @Test func theCodeOfOneFormOpensNoOther() throws {
        let alice = try requests.open(wanted, asker: "agent")
        let bob = try requests.open(
            MissingCredentials(plugin: "bot", names: ["key"], scope: .user, owner: "bob"), asker: "agent")
        let outcome = try requests.submit(token(bob), code: alice.code, values: values("mine"))
        guard case .wrongCode = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try stored("key", of: "bob") == nil && stored("key") == nil)
    }
}
