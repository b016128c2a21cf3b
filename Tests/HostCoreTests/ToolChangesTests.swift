import Testing

@testable import HostCore

@Suite struct ToolChangesTests {
    @Test func whoListensHearsOfChangesOnceHoweverManyThereWere() async {
        let changes = ToolChanges()
        let stream = changes.stream()
        for _ in 0..<3 { changes.announce() }
        var iterator = stream.makeAsyncIterator()
        await iterator.next()
        changes.announce()
        await iterator.next()
        let further = Task { await stream.first { _ in true } != nil }
        further.cancel()
        #expect(await further.value == false)
    }

    @Test func whoNoLongerListensIsForgotten() async {
        let changes = ToolChanges()
        let listening = Task { [stream = changes.stream()] in for await _ in stream {} }
        #expect(changes.listenerCount == 1)
        listening.cancel()
        await listening.value
        #expect(changes.listenerCount == 0)
    }
}
