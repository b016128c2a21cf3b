import JSONBytes
import PluginABI
import SpecVectors
import Testing

@testable import HostCore

/// The shared conversations, with this host in the host's place.
@Suite struct TranscriptTests {
    @Test(arguments: try Transcript.all(without: ["host", "host-gap"]))
    func theHostPlaysItsPart(_ transcript: Transcript) throws {
        var host = try ScriptedHost()
        for step in transcript.steps {
            switch step.sender {
            case .plugin: try host.hear(step)
            case .host: try host.say(step)
            }
        }
        let last = try #require(transcript.steps.last)
        #expect(host.core.lifecycle.state == (last.kind == "abort" ? .failed : .disposed))
        #expect(host.answered == host.expected)
    }

    @Test func thereAreTranscriptsOfRightAndOfWrongPlugins() throws {
        let all = try Transcript.all(without: ["host", "host-gap"])
        #expect(all.count { $0.wrong == nil } >= 21)
        #expect(all.count { $0.wrong == "plugin" } >= 15)
    }
}

/// Does what a transcript says that the host does, and holds against it what the host's core asks for.
private struct ScriptedHost {
    var core = SessionCore(plugin: "vector")
    private(set) var answered: Set<UInt64> = []
    /// Calls whose answer the transcript brings while they are open.
    private(set) var expected: Set<UInt64> = []
    private var open: Set<UInt64> = []
    /// What the core asked for and no step has performed yet.
    private var due: [SessionCore.Effect] = []
    private let context: CallContext

    init() throws { context = try SamplePlugin.context() }

    mutating func hear(_ step: Transcript.Step) throws {
        if ["result", "error", "cancelled"].contains(step.kind), open.remove(step.stream) != nil {
            expected.insert(step.stream)
        }
        for effect in core.receive(try step.frame().encoded()) {
            if case .answer(let stream, _) = effect { answered.insert(stream) } else { due.append(effect) }
        }
    }

    mutating func say(_ step: Transcript.Step) throws {
        switch step.kind {
        case "call":
            #expect(try core.openCall(context) == step.stream, "\(step)")
            open.insert(step.stream)
        case "cancel":
            // A second one, or one after the end, this host does not send.
            #expect(core.abandon(step.stream) == (open.remove(step.stream) != nil), "\(step)")
        case "ping": break
        case "pong":
            take(step) {
                if case .pong(let nonce) = $0 { "\(nonce)" == step.message["nonce"]?.stringValue } else { false }
            }
        case "credit":
            // A host grants when and what it likes; a call that is over gets nothing.
            if open.contains(step.stream) { take(step) { if case .grant(step.stream, _) = $0 { true } else { false } } }
        case "abort":
            take(step) {
                if case .failed(let error) = $0 {
                    error.code.rawValue == step.message["code"]?.stringValue
                } else {
                    false
                }
            }
        case "result", "error", "cancelled":
            take(step) {
                switch $0 {
                case .perform(step.stream, _, _): true
                case .refuseHostCall(step.stream, let error): error.code.rawValue == step.message["code"]?.stringValue
                default: false
                }
            }
            _ = core.closeHostCall(step.stream)
        default:
            let kind = try step.frame().kind
            try core.send(kind)
        }
    }

    /// Expects that the core asked for what the host does now.
    private mutating func take(_ step: Transcript.Step, _ isIt: (SessionCore.Effect) -> Bool) {
        guard let position = due.firstIndex(where: isIt) else {
            Issue.record("the host had no reason for \(step)")
            return
        }
        due.remove(at: position)
    }
}
