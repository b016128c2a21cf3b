internal import JSONBytes
internal import Synchronization

/// The messages that are being answered, so that a client can cancel them by their id.
final class Flights: Sendable {
    private struct Flight {
        /// Nil where the client cannot name it.
        var id: JSONValue?
        var work: Task<[UInt8]?, Never>
        /// It ends when it is cancelled, and not before.
        var lastsUntilEnd: Bool
        var isCancelled = false
    }

    private struct State {
        var next: UInt64 = 0
        var flights: [UInt64: Flight] = [:]
    }

    private let state = Mutex(State())

    /// - Returns: the ticket under which the flight ends.
    func begin(_ work: Task<[UInt8]?, Never>, id: JSONValue?, lastsUntilEnd: Bool = false) -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.flights[state.next] = Flight(id: id, work: work, lastsUntilEnd: lastsUntilEnd)
            return state.next
        }
    }

    /// Cancels every flight under an id; one that is unknown or over is nobody's mistake.
    func cancel(_ id: JSONValue) { cancel { $0.id == id } }

    /// Cancels those that nothing else would end.
    func cancelEndless() { cancel(where: \.lastsUntilEnd) }

    private func cancel(where isMeant: (Flight) -> Bool) {
        let tasks = state.withLock { state in
            let tickets = state.flights.filter { isMeant($0.value) }.keys
            for ticket in tickets { state.flights[ticket]?.isCancelled = true }
            return tickets.compactMap { state.flights[$0]?.work }
        }
        for task in tasks { task.cancel() }
    }

    /// Forgets a flight, and tells whether it was cancelled: then no answer may be written.
    func end(_ ticket: UInt64) -> Bool {
        state.withLock { $0.flights.removeValue(forKey: ticket)?.isCancelled ?? false }
    }
}
