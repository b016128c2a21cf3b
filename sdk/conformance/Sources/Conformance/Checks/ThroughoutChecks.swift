/// Rules that hold everywhere: what was noted in all the conversations before. They start no process. A rule that
/// nothing in the run could have broken is skipped: `unless` says what was missing.
enum ThroughoutChecks {
    private static let noFrame = "no frame came on descriptor 3"
    private static let noData = "no call sent data"
    private static let noHostCall = "the plugin made no host call"

    static let all: [Check] = [
        standing(Rule.onlyFrames, "nothing but frames comes on descriptor 3", unless: noFrame),
        standing(Rule.headers, "every frame of the plugin has flags and reserved bytes of 0", unless: noFrame),
        standing(
            Rule.refusals, "a refused frame ends the session with abort, and the process with it",
            unless: "the plugin ended no session over a refused frame"),
        standing(Rule.repeats, "no frame of the plugin has a field twice", unless: noFrame),
        standing(Rule.criticalFields, "the plugin sends no critical field that version 1 lacks", unless: noFrame),
        standing(Rule.fields, "every body of the plugin is well formed and within its limits", unless: noFrame),
        standing(Rule.places, "every frame of the plugin is on a stream where it belongs", unless: noFrame),
        standing(Rule.states, "every frame of the plugin comes in a state that allows it", unless: noFrame),
        standing(Rule.bodyLimit, "no body of the plugin is longer than the limit in force", unless: noFrame),
        standing(
            Rule.stoppedLast, "stopped comes after the last terminal frame",
            unless: "no session with a call got to stopped"),
        standing(Rule.ping, "a ping has one pong, with its nonce", unless: "no pong came"),
        standing(
            Rule.streamOrder, "host calls open even streams in rising order",
            unless: "the plugin made no two host calls in one session"),
        standing(Rule.oneEnd, "every call of this run ended once", unless: "no call ended"),
        standing(
            Rule.unknownStream, "no frame of the plugin is for a stream that nobody opened",
            unless: "no frame came on a call's stream"),
        standing(
            Rule.progressOnOpen, "progress and data come before the end of their call",
            unless: "no call sent progress or data"),
        standing(Rule.emptyData, "data has bytes in it", unless: noData),
        standing(Rule.credit, "data stays within its credit", unless: noData),
        standing(Rule.parent, "host calls are made for an open call, at most 32 at once", unless: noHostCall),
        standing(
            Rule.noLeak, "no false credential of this run came back anywhere",
            unless: "no call that was lent a credential ended"),
        standing(Rule.errorWords, "errors have a code and a message", unless: "no error came"),
        standing(Rule.logs, "log records have words", unless: "no log record came"),
        standing(
            Rule.toolsFromConnectors, "tools comes from connectors only",
            unless: "no session of a plugin that is known to be no connector was started and called"),
    ]

    private static func standing(_ rule: String, _ title: String, unless missing: String) -> Check {
        Check(rule, title, .throughout) { (context) throws(CheckStop) in
            guard let note = context.notes.notes[rule] else {
                if context.notes.evidence[rule] == nil { throw .skipped(reason: "\(missing): nothing to judge") }
                return
            }
            let times = note.count > 1 ? " (\(note.count) times in this run)" : ""
            throw .noted(why: note.why + times, remedy: note.remedy, transcript: note.transcript)
        }
    }
}
