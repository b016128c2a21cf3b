internal import JSONBytes
internal import PluginABI

/// A mistake of a plugin's author, in words that lead to its end: which requirement of abi-v1.md or manifest-v1.md,
/// what the plugin did, and what it should do instead. Each is one line in the plugin's log, from `nexusd`.
struct Diagnosis: Sendable, Equatable, CustomStringConvertible {
    var requirement: String
    var problem: String
    var fix: String

    var description: String { "\(requirement): \(problem); \(fix)" }

    /// For whoever called: what went wrong comes first.
    var forCaller: String { "\(problem) (\(requirement): \(fix))" }

    /// - Parameter first: what it wrote, as far as one read gave it.
    static func wroteToStandardOutput(_ first: some Collection<UInt8>) -> Diagnosis {
        let isFrame = looksLikeFrame(first)
        return Diagnosis(
            requirement: "ABI-2.2",
            problem: isFrame
                ? "the plugin writes frames to its standard output, where nobody reads them"
                : "the plugin writes to its standard output, which is kept as log lines only",
            fix: isFrame ? "frames belong on descriptor 3" : "log with log frames, and send answers on descriptor 3")
    }

    private static func looksLikeFrame(_ bytes: some Collection<UInt8>) -> Bool {
        guard bytes.count >= ABILimits.headerBytes else { return false }
        var decoder = FrameDecoder(bodyLimit: ABILimits.bodyBytes)
        decoder.append(bytes.prefix(ABILimits.headerBytes))
        do {
            _ = try decoder.next()
            return true
        } catch {
            return false
        }
    }

    static func unanswered(_ tool: String) -> Diagnosis {
        Diagnosis(
            requirement: "ABI-7.6", problem: "\(tool) did not answer before its deadline",
            fix: "end every call with a result, an error or, after cancel, cancelled")
    }

    static func answeredTwice(_ stream: UInt64) -> Diagnosis {
        Diagnosis(
            requirement: "ABI-7.2", problem: "a second terminal frame came for stream \(stream) and was dropped",
            fix: "send exactly one result, error or cancelled for each call")
    }

    static func blocksItsLoop(_ milliseconds: UInt64) -> Diagnosis {
        Diagnosis(
            requirement: "ABI-6.6", problem: "a ping was not answered for \(milliseconds) ms while a call runs",
            fix: "keep reading descriptor 3 while a tool works: do the work in another thread or task")
    }

    static func dead(_ milliseconds: UInt64) -> Diagnosis {
        Diagnosis(
            requirement: "ABI-6.6",
            problem: "the plugin did not answer two pings for \(milliseconds) ms, and no call was open",
            fix: "read descriptor 3 also while there is nothing to do, and answer each ping at once")
    }

    static func silent(_ milliseconds: UInt64) -> Diagnosis {
        Diagnosis(
            requirement: "ABI-6.6",
            problem: "the plugin missed a call's deadline and then said nothing for \(milliseconds) ms",
            fix: "keep reading descriptor 3 while a tool works, and answer cancel and ping at once")
    }

    /// - Parameter message: may name the requirement itself, in parentheses, as the SDKs do for what they notice.
    static func threw(_ tool: String, _ message: String) -> Diagnosis {
        if let named = requirement(in: message) {
            return Diagnosis(requirement: named, problem: "\(tool): \(message)", fix: "correct the tool or plugin.json")
        }
        return Diagnosis(
            requirement: "ABI-7.6", problem: "\(tool) failed: \(message)",
            fix: "handle it in the tool, or answer with an error code that tells the caller what to do")
    }

    /// Such as `MAN-6.3`, where a message holds it in parentheses.
    private static func requirement(in message: String) -> String? {
        for part in message.split(separator: "(").dropFirst() {
            let name = part.prefix { $0 != ")" }
            let numbers = name.dropFirst(4).split(separator: ".", omittingEmptySubsequences: false)
            let isOne = ["ABI-", "MAN-"].contains(String(name.prefix(4))) && numbers.count == 2
            if isOne, numbers.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy(\.isNumber) }) {
                return String(name)
            }
        }
        return nil
    }

    static func answerTooLarge(_ tool: String, limit: Int) -> Diagnosis {
        Diagnosis(
            requirement: "ABI-7.13", problem: "\(tool) answered with more than \(limit) bytes",
            fix: "send less in one answer")
    }

    static func undeclaredBytes(_ tool: String) -> Diagnosis {
        Diagnosis(
            requirement: "ABI-7.13", problem: "\(tool) answered with bytes and declares no media type",
            fix: "add \"content\" to the tool in plugin.json, or send no bytes")
    }

    static func breaksOutputSchema(_ tool: String, _ violations: [JSONSchema.Violation]) -> Diagnosis {
        Diagnosis(
            requirement: "MAN-6.3",
            problem: "\(tool) answered what its output schema does not allow: "
                + violations.map(\.description).joined(separator: "; "),
            fix: "change the answer or outputSchema in plugin.json")
    }

    /// A frame that ended the session.
    static func violation(_ error: ABIError) -> Diagnosis {
        let (requirement, fix) = violations[error.code] ?? ("ABI-6.5", "see the plugin's own log")
        return Diagnosis(
            requirement: requirement, problem: "\(error.message.printable) (\(error.code.rawValue.printable))", fix: fix
        )
    }

    private static let violations: [ABIError.Code: (requirement: String, fix: String)] = [
        .frameTooLarge: ("ABI-4.1", "send less, or several data frames"),
        .malformedFrame: ("ABI-4.5", "write nothing but whole frames to descriptor 3"),
        .unknownKind: ("ABI-4.1", "send only the kinds of the version that was agreed on"),
        .unknownCriticalField: ("ABI-4.4", "use only the critical fields of this version"),
        .missingField: ("ABI-4.5", "send every required field"),
        .unexpectedMessage: ("ABI-6.1", "send each message only in the states and on the streams that allow it"),
        .unknownStream: ("ABI-7.4", "answer on the stream of the call; open host calls on rising even streams"),
        .flowControl: ("ABI-7.14", "send data only as far as the call's credit goes, and wait for more"),
        .noCommonVersion: ("ABI-5.3", "update the side that the message names"),
    ]
}
