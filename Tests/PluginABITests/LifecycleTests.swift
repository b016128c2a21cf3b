import PluginABI
import Testing

@Suite struct LifecycleTests {
    private func running() throws -> Lifecycle {
        var lifecycle = Lifecycle()
        for kind in [FrameKind.hello, .welcome, .initialize, .initialized, .start, .started] {
            _ = try lifecycle.advance(on: kind)
        }
        return lifecycle
    }

    @Test func aWholeLifeReachesDisposed() throws {
        var lifecycle = try running()
        #expect(lifecycle.state == .running)
        #expect(try lifecycle.advance(on: .call) == .deliver)
        #expect(try lifecycle.advance(on: .stop) == .entered(.stopping, deadlineMilliseconds: 10_000))
        #expect(try lifecycle.advance(on: .result) == .deliver)
        for kind in [FrameKind.stopped, .start, .started, .stop, .stopped, .dispose] {
            _ = try lifecycle.advance(on: kind)
        }
        #expect(try lifecycle.advance(on: .disposed) == .entered(.disposed, deadlineMilliseconds: nil))
    }

    @Test func nothingLeavesAFinalState() throws {
        for end in [FrameKind.abort, .disposed] {
            var lifecycle = try running()
            if end == .disposed {
                for kind in [FrameKind.stop, .stopped, .dispose] { _ = try lifecycle.advance(on: kind) }
            }
            _ = try lifecycle.advance(on: end)
            let final = lifecycle.state
            for kind in FrameKind.allCases {
                #expect(throws: ABIError.self) { try lifecycle.advance(on: kind) }
                #expect(lifecycle.state == final)
            }
            lifecycle.fail()
            #expect(lifecycle.state == final)
        }
    }

    @Test func aPluginCannotSpeakWithTheHostsVoice() throws {
        for kind in FrameKind.allCases where kind.sender == .host {
            var lifecycle = try running()
            #expect(throws: ABIError.self, "\(kind)") { try lifecycle.advance(on: kind, stream: 0, from: .plugin) }
            #expect(lifecycle.state == .failed)
        }
    }

    @Test func anErrorOnTheSessionsStreamIsAFailedStart() throws {
        var lifecycle = Lifecycle()
        for kind in [FrameKind.hello, .welcome, .initialize] { _ = try lifecycle.advance(on: kind) }
        #expect(
            try lifecycle.advance(on: .error, stream: 0, from: .plugin) == .entered(.failed, deadlineMilliseconds: nil))
    }

    @Test func hostServicesServeCallsSoNoneIsAskedBeforeTheFirst() throws {
        var lifecycle = Lifecycle()
        for kind in [FrameKind.hello, .welcome, .initialize] { _ = try lifecycle.advance(on: kind) }
        #expect(throws: ABIError.self) { try lifecycle.advance(on: .hostCall, stream: 2, from: .plugin) }
    }

    @Test func aCreditThatCrossesStoppedIsNoOffenceButDataIs() throws {
        var lifecycle = try running()
        for kind in [FrameKind.stop, .stopped] {
            _ = try lifecycle.advance(on: kind, stream: 0, from: kind.sender ?? .host)
        }
        #expect(try lifecycle.advance(on: .credit, stream: 1, from: .host) == .deliver)
        #expect(throws: ABIError.self) { try lifecycle.advance(on: .data, stream: 1, from: .plugin) }
    }

    @Test func aCancelThatCrossesStoppedIsNoOffence() throws {
        var lifecycle = try running()
        for kind in [FrameKind.stop, .stopped] {
            _ = try lifecycle.advance(on: kind, stream: 0, from: kind.sender ?? .host)
        }
        #expect(try lifecycle.advance(on: .cancel, stream: 1, from: .host) == .deliver)
        #expect(try lifecycle.advance(on: .result, stream: 2, from: .host) == .deliver)
    }

    @Test func aResultBeforeStartedIsRefused() throws {
        var lifecycle = Lifecycle()
        for kind in [FrameKind.hello, .welcome] { _ = try lifecycle.advance(on: kind) }
        #expect(throws: ABIError(.unexpectedMessage, "result is not allowed while the plugin is welcomed")) {
            try lifecycle.advance(on: .result, stream: 1, from: .plugin)
        }
    }

    @Test func anErrorNamesWhoWhatAndWhere() throws {
        var lifecycle = try running()
        #expect(throws: ABIError(.unexpectedMessage, "stop is the host's to send; it came from the plugin")) {
            try lifecycle.advance(on: .stop, stream: 0, from: .plugin)
        }
        lifecycle = try running()
        #expect(throws: ABIError(.unexpectedMessage, "result from the plugin does not belong on stream 2")) {
            try lifecycle.advance(on: .result, stream: 2, from: .plugin)
        }
        lifecycle = try running()
        #expect(throws: ABIError(.unexpectedMessage, "error on stream 0 is not allowed while the plugin is running")) {
            try lifecycle.advance(on: .error, stream: 0, from: .plugin)
        }
    }
}
