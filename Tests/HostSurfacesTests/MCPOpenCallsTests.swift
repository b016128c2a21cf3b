import JSONBytes
import Synchronization
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct MCPOpenCallsTests {
    private func key(_ actor: String = "alice", _ session: String = "s", _ id: JSONValue = 1) -> MCPOpenCalls.Key {
        MCPOpenCalls.Key(actor: actor, session: session, id: id)
    }

    @Test func onlyTheOneWhoCallsCanCancelInItsSessionUnderItsID() {
        let calls = MCPOpenCalls()
        let cancelled = Mutex(0)
        let ticket = calls.begin(key())
        calls.whenCancelled(ticket) { cancelled.withLock { $0 += 1 } }
        for other in [key("mallory"), key("alice", "other"), key("alice", "s", 2), key("alice", "s", "1")] {
            calls.cancel(other)
        }
        #expect(cancelled.withLock { $0 } == 0)
        calls.cancel(key())
        #expect(cancelled.withLock { $0 } == 1)
        calls.end(ticket)
        #expect(calls.count == 0)
        calls.cancel(key())
        #expect(cancelled.withLock { $0 } == 1)
    }

    @Test func aCancellationThatComesBeforeItsHandlerIsNotLost() {
        let calls = MCPOpenCalls()
        let cancelled = Mutex(false)
        let ticket = calls.begin(key())
        calls.cancel(key())
        calls.whenCancelled(ticket) { cancelled.withLock { $0 = true } }
        #expect(cancelled.withLock { $0 })
    }

    @Test func aCallWithoutASessionHasNoNameAndIsNotKept() {
        let calls = MCPOpenCalls()
        #expect(calls.begin(nil) == nil)
        #expect(calls.count == 0)
    }

    @Test func initializeNamesASessionAndOnlyThere() async throws {
        let host = FakeToolHost()
        let params = JSONObject([(key: "protocolVersion", value: "2025-11-25")])
        let first = try await host.reply(to: .handshake("initialize", params)).header("mcp-session-id")
        let second = try await host.reply(to: .handshake("initialize", params)).header("mcp-session-id")
        #expect(first?.count == 32 && first != second)
        #expect(try await host.reply(to: .handshake("tools/list")).header("mcp-session-id") == nil)
        // A session that this host never named is as good as any: it keeps none.
        var message = Message.handshake("tools/list")
        message.set("mcp-session-id", "unknown")
        #expect(try await host.reply(to: message).status == 200)
    }
}
