import Testing

@testable import HostCore

@Suite struct OutboxTests {
    /// A socket that takes `room` bytes a call and refuses every third.
    private func drainAll(_ outbox: inout Outbox, room: Int) -> [UInt8] {
        var taken: [UInt8] = []
        var calls = 0
        while !outbox.isEmpty {
            outbox.drain { bytes in
                calls += 1
                guard !calls.isMultiple(of: 3) else { return -1 }
                taken.append(contentsOf: bytes.prefix(room))
                return min(bytes.count, room)
            }
        }
        return taken
    }

    @Test(arguments: [1, 2, 3, 7, 100]) func framesLeaveWholeAndInOrderHoweverLittleASocketTakes(room: Int) {
        var outbox = Outbox()
        let frames: [[UInt8]] = [[1, 2, 3], [], [4], [5, 6, 7, 8, 9, 10, 11]]
        for frame in frames { outbox.append(frame) }
        #expect(outbox.byteCount == 11)
        #expect(drainAll(&outbox, room: room) == Array(1...11))
        #expect(outbox.byteCount == 0)
    }

    @Test(arguments: [4, 16, 64], [1, 5, 9, 100]) func gatheredFramesLeaveInOrderToo(capacity: Int, room: Int) {
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        defer { space.deallocate() }
        space.initializeMemory(as: UInt8.self, repeating: 0)
        var outbox = Outbox()
        for frame in [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [12, 13, 14], [15]] as [[UInt8]] { outbox.append(frame) }
        var (taken, calls): ([UInt8], Int) = ([], 0)
        while !outbox.isEmpty {
            outbox.drain(gatheredIn: space) { bytes in
                calls += 1
                guard !calls.isMultiple(of: 3) else { return -1 }
                taken.append(contentsOf: bytes.prefix(room))
                return min(bytes.count, room)
            }
            // The copies are wiped, sent or not.
            #expect(space.allSatisfy { $0 == 0 })
        }
        #expect(taken == Array(1...15))
        #expect(outbox.byteCount == 0)
        if capacity == 64, room == 100 { #expect(calls == 1) }
    }

    @Test func whatIsSentIsWipedInPlace() {
        var outbox = Outbox()
        outbox.append(Array(repeating: 0xAA, count: 64))
        var place: UnsafeRawPointer?
        outbox.drain { bytes in
            place = bytes.baseAddress
            return 40
        }
        // The frame is still owned by the outbox, so its memory may be looked at during the next send.
        outbox.drain { bytes in
            let isWiped = place.map { UnsafeRawBufferPointer(start: $0, count: 40).allSatisfy { $0 == 0 } }
            #expect(isWiped == true)
            #expect(bytes.allSatisfy { $0 == 0xAA } && bytes.count == 24)
            return 24
        }
        #expect(outbox.isEmpty)
    }

    @Test func aSocketThatTakesNothingLosesNothing() {
        var outbox = Outbox()
        outbox.append([1, 2, 3])
        outbox.drain { _ in -1 }
        outbox.drain { _ in 0 }
        #expect(drainAll(&outbox, room: 8) == [1, 2, 3])
    }

    // MARK: sockets

    @Test func socketLeavesWithTheFirstByteOfItsFrameAndIsClosedThen() throws {
        let witness = try Witness()
        var outbox = Outbox()
        outbox.append([1, 2])
        outbox.append([3, 4, 5], passing: PassedSocket(witness.writing))
        outbox.append([6])
        var steps: [String] = []
        while !outbox.isEmpty {
            outbox.drain { bytes in
                steps.append("\(Array(bytes))")
                return 1
            } passing: { bytes, socket in
                steps.append("\(Array(bytes)) with \(socket.descriptor == witness.writing && witness.isHeld)")
                return steps.count == 3 ? -1 : 1
            }
            #expect(witness.isHeld == (outbox.socketCount == 1))
        }
        #expect(
            steps == [
                "[1, 2]", "[2]", "[3, 4, 5] with true", "[3, 4, 5] with true", "[4, 5]", "[5]", "[6]",
            ])
    }

    @Test func socketsOfASessionThatEndedAreClosed() throws {
        let witness = try Witness()
        var outbox = Outbox()
        outbox.append([1], passing: PassedSocket(witness.writing))
        #expect(witness.isHeld && outbox.socketCount == 1)
        outbox.wipe()
        #expect(!witness.isHeld && outbox.socketCount == 0)
    }
}
