import Testing

@testable import CryptoBotCore

@Suite struct ServerClockTests {
    @Test func localClockIsUsedUntilComparedWithTheServers() {
        let clock = ServerClock(local: { 500 })
        #expect(clock.now == 500)
        clock.synchronise(serverTime: 10_000, between: 400, and: 600)
        #expect(clock.now == 10_000)
    }
}
