/// A body is a sequence of fields: tag u16, length u32, bytes; little-endian, in any order.
///
/// A tag with its high bit set is critical: a reader that does not know it refuses the frame. Others are skipped.
public struct FieldTag: RawRepresentable, Sendable, Hashable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public init(_ rawValue: UInt16) { self.rawValue = rawValue }
    public var isCritical: Bool { rawValue & 0x8000 != 0 }
}

/// Builds a body. It may hold credentials: growing leaves no copy behind, and no rendering shows the bytes.
public struct FieldWriter: Sendable, CustomReflectable {
    public private(set) var body: [UInt8] = []

    public init() {}

    public var customMirror: Mirror { Mirror(self, children: ["bytes": body.count]) }

    public mutating func write(_ tag: FieldTag, bytes: some Collection<UInt8>) {
        body.makeRoom(for: 6 + bytes.count)
        body.append(littleEndian: tag.rawValue)
        body.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
        body.append(contentsOf: bytes)
    }

    public mutating func write(_ tag: FieldTag, _ text: String) { write(tag, bytes: Array(text.utf8)) }
    public mutating func write(_ tag: FieldTag, _ value: UInt8) { write(tag, bytes: [value]) }

    public mutating func write(_ tag: FieldTag, _ value: UInt32) {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: value)
        write(tag, bytes: bytes)
    }

    public mutating func write(_ tag: FieldTag, _ value: UInt64) {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: value)
        write(tag, bytes: bytes)
    }

    public mutating func writeIfPresent(_ tag: FieldTag, _ text: String?) {
        if let text { write(tag, text) }
    }

    public mutating func wipe() { body.wipe() }
}

/// Reads a body once it is whole. Known tags may appear once, but for those that are read as a list.
public struct FieldReader: Sendable, CustomReflectable {
    private var fields: [(tag: FieldTag, value: ArraySlice<UInt8>)] = []

    public var customMirror: Mirror { Mirror(self, children: ["fields": fields.count]) }

    /// - Parameter known: every tag that the message defines.
    /// - Throws: `ABIError` with `malformedFrame` or `unknownCriticalField`.
    public init(_ body: [UInt8], known: Set<FieldTag>) throws(ABIError) { try self.init(body[...], known: known) }

    /// Reads a body inside another one without copying it.
    public init(_ body: ArraySlice<UInt8>, known: Set<FieldTag>) throws(ABIError) {
        var rest = body
        var count = 0
        while !rest.isEmpty {
            count += 1
            guard count <= ABILimits.fieldsPerFrame else {
                throw ABIError(.malformedFrame, "more than \(ABILimits.fieldsPerFrame) fields in one frame")
            }
            guard rest.count >= 6, let rawTag = rest.prefix(2).littleEndian(UInt16.self),
                let length = rest.dropFirst(2).prefix(4).littleEndian(UInt32.self)
            else { throw ABIError(.malformedFrame, "a field is cut off in its tag or length") }
            rest = rest.dropFirst(6)
            let tag = FieldTag(rawTag)
            guard rest.count >= Int(length) else {
                throw ABIError(.malformedFrame, "field \(rawTag) announces \(length) bytes, \(rest.count) are left")
            }
            if known.contains(tag) {
                fields.append((tag, rest.prefix(Int(length))))
            } else if tag.isCritical {
                throw ABIError(.unknownCriticalField, "field \(rawTag) is critical and not known to this version")
            }
            rest = rest.dropFirst(Int(length))
        }
    }

    /// Every value of a tag that may repeat.
    public func all(_ tag: FieldTag) -> [ArraySlice<UInt8>] { fields.filter { $0.tag == tag }.map(\.value) }

    /// The value of a tag; nil if absent.
    ///
    /// - Throws: `malformedFrame` if it appears twice or is longer than `limit` bytes.
    public func optional(_ tag: FieldTag, limit: Int) throws(ABIError) -> ArraySlice<UInt8>? {
        let values = all(tag)
        guard values.count <= 1 else { throw ABIError(.malformedFrame, "field \(tag.rawValue) appears twice") }
        guard let value = values.first else { return nil }
        guard value.count <= limit else {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) has \(value.count) bytes; the limit is \(limit)")
        }
        return value
    }

    public func required(_ tag: FieldTag, limit: Int) throws(ABIError) -> ArraySlice<UInt8> {
        guard let value = try optional(tag, limit: limit) else {
            throw ABIError(.missingField, "field \(tag.rawValue) is missing")
        }
        return value
    }

    public func integer<Value: FixedWidthInteger>(_ tag: FieldTag, as type: Value.Type) throws(ABIError) -> Value? {
        guard let bytes = try optional(tag, limit: 8) else { return nil }
        guard let value = bytes.littleEndian(Value.self) else {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) must have \(Value.bitWidth / 8) bytes")
        }
        return value
    }

    public func text(_ tag: FieldTag, limit: Int = ABILimits.nameBytes) throws(ABIError) -> String? {
        guard let bytes = try optional(tag, limit: limit) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) is not UTF-8")
        }
        return text
    }

    public func requiredText(_ tag: FieldTag, limit: Int = ABILimits.nameBytes) throws(ABIError) -> String {
        guard let text = try text(tag, limit: limit) else {
            throw ABIError(.missingField, "field \(tag.rawValue) is missing")
        }
        return text
    }
}
