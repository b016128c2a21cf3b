/// A JSON object: members in the order of the text, names unique.
public struct JSONObject: Sendable {
    public private(set) var members: [(key: String, value: JSONValue)]
    /// Positions by name, kept only once a linear search would cost: most objects are small.
    private var index: [Name: Int]?
    private static let indexedFrom = 12

    public init() { members = [] }

    /// Builds an object from members; of equal names the last wins.
    public init(_ members: [(key: String, value: JSONValue)]) {
        self.init()
        for member in members { self[member.key] = member.value }
    }

    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }

    public subscript(name: String) -> JSONValue? {
        get { position(of: name).map { members[$0].value } }
        set {
            if let position = position(of: name) {
                if let newValue {
                    members[position].value = newValue
                } else {
                    members.remove(at: position)
                    reindex()
                }
            } else if let newValue {
                members.append((key: name, value: newValue))
                if index != nil {
                    index?[Name(text: name)] = members.count - 1
                } else if members.count == Self.indexedFrom {
                    reindex()
                }
            }
        }
    }

    private func position(of name: String) -> Int? {
        if let index { return index[Name(text: name)] }
        return members.firstIndex { $0.key.isIdentical(to: name) }
    }

    private mutating func reindex() {
        guard members.count >= Self.indexedFrom else {
            index = nil
            return
        }
        var fresh: [Name: Int] = [:]
        fresh.reserveCapacity(members.count)
        for (position, member) in members.enumerated() { fresh[Name(text: member.key)] = position }
        index = fresh
    }

    /// A name that is equal only to itself, byte by byte.
    private struct Name: Hashable {
        let text: String
        static func == (left: Name, right: Name) -> Bool { left.text.isIdentical(to: right.text) }
        func hash(into hasher: inout Hasher) { hasher.combine(exact: text) }
    }
}

extension JSONObject: Hashable {
    /// Equal when the same names have equal values, in any order (RFC 8259 section 4).
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in members {
            var own = Hasher()
            own.combine(exact: member.key)
            own.combine(member.value)
            sum ^= own.finalize()
        }
        hasher.combine(sum)
    }
}

// Swift's == calls canonically equivalent strings equal (é and e + ́, K and the Kelvin sign). JSON does not, and a name
// that host and plugin read differently is a way around a check.
extension String {
    func isIdentical(to other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}

extension Hasher {
    mutating func combine(exact text: String) {
        for byte in text.utf8 { combine(byte) }
        combine(text.utf8.count)
    }
}
