/// What was seen on the side, over all sessions of a run: rules that hold everywhere and at any time, such as "every
/// call ends once". Each has a check of its own at the end of the run that reports what is noted here.
final class Notes {
    struct Note {
        var why: String
        var remedy: String
        var transcript: [String]
        var count = 1
    }
    private(set) var notes: [String: Note] = [:]
    /// How often each rule had a chance to be broken. A rule without one was neither kept nor broken.
    private(set) var evidence: [String: Int] = [:]

    func add(_ requirement: String, _ why: String, fix: String, transcript: [String]) {
        exercise(requirement)
        notes[requirement, default: Note(why: why, remedy: fix, transcript: transcript, count: 0)].count += 1
    }

    func exercise(_ requirement: String) { evidence[requirement, default: 0] += 1 }
}
