/// Takes secrets out of bytes that come in pieces. It holds back one byte less than the longest form that the redactor
/// knows: whatever begins before that has come whole, so a secret is found wherever the pieces part it.
struct RedactedStream {
    private let redactor: Redactor
    private var held: [UInt8] = []
    /// So many of the held bytes belong to a secret whose mark has gone out.
    private var covered = 0

    init(_ redactor: Redactor) { self.redactor = redactor }

    /// What can go on now; with the last piece, everything.
    mutating func pass(_ bytes: [UInt8], isLast: Bool = false) -> [UInt8] {
        let all = held.isEmpty ? bytes : held + bytes
        let (found, longest) = redactor.find(in: all)
        let end = isLast ? all.count : max(0, all.count - max(0, longest - 1))
        var output: [UInt8] = []
        var done = covered
        for match in found where match.lowerBound < end {
            if match.lowerBound >= done {
                output += all[done..<match.lowerBound]
                output += Redactor.mark.utf8
            }
            done = max(done, match.upperBound)
        }
        if done < end {
            output += all[done..<end]
            done = end
        }
        held = Array(all[end...])
        covered = done - end
        return output
    }
}
