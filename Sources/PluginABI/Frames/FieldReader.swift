/// Reads a body once it is whole, where it lies: it holds no list of fields and copies nothing, so it is lent and
/// cannot be kept. A tag may appear once, but for those that are read as a list; those that nobody asks for are
/// skipped.
public struct FieldReader: ~Copyable {
    private let body: UnsafeRawBufferPointer

    /// Lends the fields of a body to `use`.
    ///
    /// - Parameter critical: the critical tag that the message defines, if it has one.
    /// - Throws: `ABIError` with `malformedFrame` or `unknownCriticalField`, and what `use` throws.
    public static func read<Result>(
        _ body: RawSpan, critical: FieldTag? = nil, _ use: (borrowing FieldReader) throws(ABIError) -> Result
    ) throws(ABIError) -> Result {
        try body.withUnsafeBytes { (bytes) throws(ABIError) in try use(FieldReader(bytes, critical: critical)) }
    }

    /// The bytes must outlive the reader.
    init(_ body: UnsafeRawBufferPointer, critical: FieldTag? = nil) throws(ABIError) {
        self.body = body
        var cursor = FieldCursor(rest: body)
        var count = 0
        while let tag = try cursor.next()?.tag {
            count += 1
            guard count <= ABILimits.fieldsPerFrame else {
                throw ABIError(.malformedFrame, "more than \(ABILimits.fieldsPerFrame) fields in one frame")
            }
            guard !tag.isCritical || tag == critical else {
                throw ABIError(
                    .unknownCriticalField, "field \(tag.rawValue) is critical and not known to this version")
            }
        }
    }

    /// Visits every value of a tag that may repeat.
    public func forEach(
        _ tag: FieldTag, _ visit: (UnsafeRawBufferPointer) throws(ABIError) -> Void
    ) throws(ABIError) {
        var cursor = FieldCursor(rest: body)
        while let field = try cursor.next() {
            if field.tag == tag { try visit(field.value) }
        }
    }

    public func count(_ tag: FieldTag) throws(ABIError) -> Int {
        var count = 0
        try forEach(tag) { _ in count += 1 }
        return count
    }

    /// The value of a tag; nil if absent. It is lent, as the reader is.
    ///
    /// - Throws: `malformedFrame` if it appears twice or is longer than `limit` bytes.
    public func optional(_ tag: FieldTag, limit: Int) throws(ABIError) -> UnsafeRawBufferPointer? {
        var found: UnsafeRawBufferPointer?
        var cursor = FieldCursor(rest: body)
        while let field = try cursor.next() {
            guard field.tag == tag else { continue }
            guard found == nil else { throw ABIError(.malformedFrame, "field \(tag.rawValue) appears twice") }
            found = field.value
        }
        guard let found else { return nil }
        guard found.count <= limit else {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) has \(found.count) bytes; the limit is \(limit)")
        }
        return found
    }

    public func required(_ tag: FieldTag, limit: Int) throws(ABIError) -> UnsafeRawBufferPointer {
        guard let value = try optional(tag, limit: limit) else {
            throw ABIError(.missingField, "field \(tag.rawValue) is missing")
        }
        return value
    }

    public func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ tag: FieldTag, as type: Value.Type
    ) throws(ABIError) -> Value? {
        guard let bytes = try optional(tag, limit: 8) else { return nil }
        guard bytes.count == MemoryLayout<Value>.size else {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) must have \(Value.bitWidth / 8) bytes")
        }
        return Value(littleEndian: bytes.loadUnaligned(as: Value.self))
    }

    public func text(_ tag: FieldTag, limit: Int = ABILimits.nameBytes) throws(ABIError) -> String? {
        guard let bytes = try optional(tag, limit: limit) else { return nil }
        do {
            return String(copying: try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span))
        } catch {
            throw ABIError(.malformedFrame, "field \(tag.rawValue) is not UTF-8")
        }
    }

    public func requiredText(_ tag: FieldTag, limit: Int = ABILimits.nameBytes) throws(ABIError) -> String {
        guard let text = try text(tag, limit: limit) else {
            throw ABIError(.missingField, "field \(tag.rawValue) is missing")
        }
        return text
    }
}

/// Steps from field to field.
private struct FieldCursor {
    var rest: UnsafeRawBufferPointer

    /// - Throws: `malformedFrame` for a field that is cut off.
    mutating func next() throws(ABIError) -> (tag: FieldTag, value: UnsafeRawBufferPointer)? {
        guard !rest.isEmpty else { return nil }
        guard rest.count >= 6 else { throw ABIError(.malformedFrame, "a field is cut off in its tag or length") }
        let tag = UInt16(littleEndian: rest.loadUnaligned(as: UInt16.self))
        let length = Int(UInt32(littleEndian: rest.loadUnaligned(fromByteOffset: 2, as: UInt32.self)))
        let left = rest.count - 6
        guard length <= left else {
            throw ABIError(.malformedFrame, "field \(tag) announces \(length) bytes, \(left) are left")
        }
        let value = UnsafeRawBufferPointer(rebasing: rest[6..<6 + length])
        rest = UnsafeRawBufferPointer(rebasing: rest[(6 + length)...])
        return (FieldTag(tag), value)
    }
}
