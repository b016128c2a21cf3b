public import JSONBytes
public import PluginABI
import Testing

/// One conversation of sdk/spec/vectors/transcripts.json.
public struct Transcript: Sendable, CustomStringConvertible {
    public struct Step: Sendable, CustomStringConvertible {
        public let sender: Side
        public let kind: String
        public let stream: UInt64
        /// The members that count.
        public let message: JSONValue

        public var description: String { "\(sender) \(kind) on stream \(stream)" }

        /// The frame that a test sends in this side's place.
        public func frame() throws -> Frame { try Message(kind: kind, vector: message).frame(stream: stream) }

        /// Whether what came is what the step says: of its members only those that are given are compared.
        public func describes(_ frame: Frame) throws -> Bool {
            let came = try Message(frame)
            guard "\(frame.kind)" == kind, frame.stream == stream else { return false }
            if let length = message["length"]?.intValue {
                guard case .data(let bytes) = came else { return false }
                return bytes.count == length
            }
            let all = came.vector
            return (message.objectValue?.members ?? []).allSatisfy { all[$0.key] == $0.value }
        }
    }

    public let name: String
    /// The side that breaks the rules; nil where none does.
    public let wrong: String?
    public let steps: [Step]

    public var description: String { name }

    /// All of them, but for those in which a side is wrong.
    public static func all(without wrong: Set<String>) throws -> [Transcript] {
        let list = try #require(SpecFiles.json("sdk/spec/vectors/transcripts.json")["transcripts"]?.arrayValue)
        return try list.map(Transcript.init).filter { $0.wrong.map { !wrong.contains($0) } ?? true }
    }

    private init(_ value: JSONValue) throws {
        name = try #require(value["name"]?.stringValue)
        wrong = value["wrong"]?.stringValue
        steps = try #require(value["steps"]?.arrayValue).map { step in
            Step(
                sender: try #require(Side(rawValue: step["from"]?.stringValue ?? "")),
                kind: try #require(step["kind"]?.stringValue),
                stream: try #require(UInt64(step["stream"]?.stringValue ?? "")), message: step["message"] ?? [:])
        }
    }
}
