internal import PluginABI

/// abi-v1.md sections 2 and 5: the process, and the first words.
enum HandshakeChecks {
    static let all: [Check] = [
        Check(Rule.hello, "hello comes first and in time", .handshake) { (context) throws(CheckStop) in
            let talk = try context.talk()
            do throws(CheckStop) {
                try talk.reach(.greeted)
            } catch .unreachable(Rule.hello, let why, let remedy) {
                throw .failed(why: why, remedy: remedy)
            }
        },
        Check(Rule.notStdout, "the protocol is not written to stdout", .process) { (context) throws(CheckStop) in
            do throws(CheckStop) {
                _ = try context.talk(at: .greeted)
            } catch .unreachable(Rule.notStdout, let why, let remedy) {
                throw .failed(why: why, remedy: remedy)
            }
        },
        Check(Rule.versionRange, "the version range of hello is not empty", .handshake) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .greeted)
            guard let range = talk.offered, range.minimum >= 1, range.minimum <= range.maximum else {
                throw .failed(
                    why: "hello offers the versions \(talk.offered.map { "\($0.minimum) to \($0.maximum)" } ?? "none")",
                    remedy: "offer a minimum of 1 or more and a maximum that is not below it")
            }
        },
        Check(Rule.commonVersion, "welcome with a version above its range is answered with abort", .handshake) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .greeted)
            let version = (talk.offered?.maximum ?? 1) &+ 1
            try refuse(version, talk)
        },
        Check(Rule.commonVersion, "welcome with version 0 is answered with abort", .handshake) {
            (context) throws(CheckStop) in
            try refuse(0, try context.talk(at: .greeted))
        },
        Check(Rule.endOfFile, "end of file before welcome ends the process", .process) { (context) throws(CheckStop) in
            try hangUp(try context.talk(at: .greeted))
        },
        Check(Rule.endOfFile, "end of file ends an idle plugin at once", .process) { (context) throws(CheckStop) in
            try hangUp(try context.talk(at: .running))
        },
        Check(Rule.endOfFile, "end of file ends it at once while a call runs", .process) {
            (context) throws(CheckStop) in
            let talk = try context.talk(at: .running)
            _ = try talk.openSlowCall()
            try hangUp(talk)
        },
        Check(Rule.brokenPipe, "answering a host that is gone is no reason to die of SIGPIPE", .process) {
            (context) throws(CheckStop) in
            let call = try context.quickCall()
            let talk = try context.talk(at: .running)
            // Asked, and gone before the answers: they arrive in one piece and are so many that a busy machine cannot
            // have them all answered before this process goes on and closes the socket.
            talk.holdsFrames = true
            for _ in 0..<200 { talk.call(call) }
            talk.release()
            talk.hangUp()
            guard let end = talk.programEnd(within: context.limits.patience) else {
                throw .unreachable(
                    requirement: Rule.endOfFile, why: "the process went on after end of file",
                    remedy: "exit at once when descriptor 3 ends")
            }
            if end == .signalled(13) {
                throw .failed(
                    why: "the process \(end) when it answered a host that had gone",
                    remedy: "ignore SIGPIPE (or send with MSG_NOSIGNAL) and take EPIPE as end of file")
            }
        },
        Check(Rule.exitStatus, "end of file and disposed end with exit status 0", .process) {
            (context) throws(CheckStop) in
            for disposes in [false, true] {
                let talk = try context.talk(at: .welcomed)
                if disposes {
                    talk.send(.dispose)
                    try talk.arrive(at: .disposed, context.limits.patience)
                } else {
                    talk.hangUp()
                }
                guard let end = talk.programEnd(within: context.limits.patience) else {
                    throw .unreachable(
                        requirement: Rule.endOfFile, why: "the process went on", remedy: "exit at once")
                }
                guard end == .exited(0) else {
                    throw .expected(
                        "exit status 0 after \(disposes ? "disposed" : "end of file")",
                        found: "the process \(end)\(talk.lastWords)",
                        fix: "leave by exit(0): anything else is a failure")
                }
            }
        },
    ]

    private static func refuse(_ version: UInt32, _ talk: PluginTalk) throws(CheckStop) {
        let message = Message.welcome(version: version, instance: "conformance", bodyLimit: 1 << 22)
        talk.provoke(message.frame().encoded(), as: "welcome (version \(version))")
        try talk.expectAbort(.noCommonVersion, after: "welcome with version \(version)")
    }

    static func hangUp(_ talk: PluginTalk) throws(CheckStop) {
        talk.hangUp()
        if talk.programEnd(within: talk.limits.patience) == nil {
            throw .failed(
                why: "the process went on for \(talk.limits.patience) ms after end of file on descriptor 3",
                remedy: "exit at once when reading descriptor 3 gives 0 bytes, whatever else runs")
        }
    }
}
