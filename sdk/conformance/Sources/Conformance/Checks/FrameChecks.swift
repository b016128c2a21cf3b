internal import PluginABI

/// abi-v1.md sections 3 and 4: bytes, frames and fields.
enum FrameChecks {
    static let all: [Check] = transport + classes.map(check)

    private static let transport: [Check] = [
        Check(Rule.anyCuts, "frames that arrive byte by byte are the same frames", .frames) {
            (context) throws(CheckStop) in
            try live(try context.talk(at: .greeted), context)
            let talk = try context.talk(at: .greeted)
            talk.cutsFrames = true
            try own("with frames cut at every byte", fix: "read on until 16 bytes are there, and then the whole body") {
                () throws(CheckStop) in try live(talk, context)
            }
        },
        Check(Rule.anyCuts, "frames that arrive glued together are each read", .frames) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .greeted)
            talk.holdsFrames = true
            talk.welcome()
            talk.send(.ping(nonce: 1))
            talk.send(.initialize(configuration: Array("{}".utf8)))
            talk.release()
            try talk.expect("initialized and a pong", fix: "go on reading while a buffer holds whole frames") {
                talk.lifecycle.state == .initialized && !talk.pongs.isEmpty
            }
            talk.holdsFrames = true
            talk.send(.start)
            for nonce in 2...4 { talk.send(.ping(nonce: UInt64(nonce))) }
            talk.release()
            try talk.expect("started and three pongs in order", fix: "handle frames in the order in which they came") {
                talk.lifecycle.state == .running && talk.pongs.count >= 4
            }
            // A second pong for one ping is another requirement's failure.
            let order = talk.pongs.reduce(into: [UInt64]()) { if !$0.contains($1) { $0.append($1) } }
            if Set(order) == [1, 2, 3, 4], order != [1, 2, 3, 4] {
                throw .failed(
                    why: "pongs came in the order \(order)",
                    remedy: "handle frames in the order in which they came")
            }
        },
        Check(Rule.criticalFields, "unknown fields that are not critical are skipped", .frames) {
            (context) throws(CheckStop) in
            try live(try context.talk(at: .greeted), context)
            let talk = try context.talk(at: .greeted)
            talk.addsUnknownFields = true
            try own("with an unknown field in every frame", fix: "skip tags below 0x8000 that you do not know") {
                () throws(CheckStop) in try live(talk, context)
            }
        },
    ]

    /// A short life: started, asked, called.
    private static func live(_ talk: PluginTalk, _ context: CheckContext) throws(CheckStop) {
        try talk.reach(.running)
        if let call = context.plan.quick { try talk.settle([talk.call(call)]) }
        if try !talk.isAlive() {
            throw .unreachable(requirement: Rule.states, why: "the session ended: \(talk.found)", remedy: "go on")
        }
    }

    /// What worked without the twist and does not with it is the twist's failure.
    private static func own(
        _ twist: String, fix: String, _ body: () throws(CheckStop) -> Void
    ) throws(CheckStop) {
        do throws(CheckStop) {
            try body()
        } catch .unreachable(_, let why, _) {
            throw .failed(why: "\(twist): \(why)", remedy: fix)
        }
    }

    // MARK: Malformed frames

    private static let classes: [(rule: String, name: String, title: String)] = [
        (Rule.headers, "headers", "refused headers are answered with abort and their code"),
        (Rule.fields, "text", "text that is not UTF-8 is refused"),
        (Rule.fields, "fields", "bodies with broken or missing fields are answered with abort and their code"),
        (Rule.repeats, "repeats", "a field that comes twice is refused"),
        (Rule.criticalFields, "criticalFields", "unknown critical fields are refused"),
        (Rule.json, "json", "JSON that is not one strict document is refused"),
        (Rule.sameName, "sameName", "two credentials of one name are refused"),
        (Rule.limits, "limits", "fields over their limit are refused"),
    ]

    private static func check(_ rule: String, _ name: String, _ title: String) -> Check {
        Check(rule, title, .frames) { (context) throws(CheckStop) in
            var counts: [String: Int] = [:]
            var refusals: [String] = []
            var remedy = ""
            for frame in MalformedFrame.all where frame.rule == name {
                counts[frame.code, default: 0] += 1
                guard counts[frame.code, default: 0] <= context.limits.framesPerClass else { continue }
                do throws(CheckStop) {
                    try refuse(frame, context)
                } catch .failed(let why, let fix) {
                    refusals.append(why)
                    remedy = fix
                    // A plugin that refuses nothing would take the kit's whole patience each time.
                    if refusals.count == 3 { break }
                }
            }
            if !refusals.isEmpty { throw .failed(why: refusals.joined(separator: "; "), remedy: remedy) }
        }
    }

    private static func refuse(_ frame: MalformedFrame, _ context: CheckContext) throws(CheckStop) {
        let talk = try context.talk(at: frame.state)
        talk.provoke(frame.bytes, as: "bytes (\(frame.name))")
        defer { context.finish() }
        try talk.expectAbort(ABIError.Code(frame.code), after: frame.name)
    }
}

/// One entry of `MalformedVectors`.
struct MalformedFrame {
    var rule: String
    var state: LifecycleState
    var code: String
    var name: String
    var bytes: [UInt8] = []

    static let all: [MalformedFrame] = {
        var frames: [MalformedFrame] = []
        for line in MalformedVectors.text.split(separator: "\n") {
            if line.hasPrefix("= ") {
                let words = line.split(separator: " ").map(String.init)
                guard words.count == 5, let state = LifecycleState(rawValue: words[2]) else { continue }
                frames.append(MalformedFrame(rule: words[1], state: state, code: words[3], name: words[4]))
            } else if !frames.isEmpty {
                frames[frames.count - 1].bytes += bytes(line)
            }
        }
        return frames
    }()

    private static func bytes(_ digits: Substring) -> [UInt8] {
        let values = digits.utf8.map {
            UInt8($0 <= UInt8(ascii: "9") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "a") + 10)
        }
        return stride(from: 0, to: values.count - 1, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
