// Input: two bytes that choose limits, then the document.
internal import Findings
internal import JSONBytes

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let limits = JSONLimits(bytes: 1 << 12, depth: Int(input.byte()), values: Int(input.byte()))
    let bytes = Array(input.rest)
    let limited = try? JSONValue(parsing: bytes, limits: limits)
    guard let value = withBoundedAllocations(input: count, perByte: 1_024, { try? JSONValue(parsing: bytes) }) else {
        insist(limited == nil, "a narrower limit accepts more")
        return 0
    }
    let size = JSONSize(value)
    insist(size.depth <= JSONLimits.standard.depth, "depth \(size.depth) was accepted")
    let fits = bytes.count <= limits.bytes && size.depth <= limits.depth && size.values <= limits.values
    insist((limited != nil) == fits, "depth \(size.depth), \(size.values) values against \(limits)")
    roundTrip(value)
    if let object = value.objectValue { slices(object, of: bytes) }
    plantedBug(value)
    return 0
}

private func roundTrip(_ value: JSONValue) {
    let encoded = value.encoded()
    guard let again = try? JSONValue(parsing: encoded) else {
        return insist(false, "what was encoded is not JSON: \(value.text)")
    }
    insist(again == value && again.hashValue == value.hashValue, "another value comes back: \(value.text)")
    insist(again.encoded() == encoded, "the second encoding differs: \(value.text)")
    insist(!encoded.contains { $0 < 0x20 || $0 == 0x7F }, "a control character is not escaped")
    if case .number(let number) = value { orders(number) }
}

private func orders(_ number: JSONNumber) {
    insist(!(number < number), "\(number) is less than itself")
    if let integer = number.integer { insist(number.isInteger && number == JSONNumber(Int(integer)), "\(number)") }
}

/// The first and the last member are found where they are.
private func slices(_ object: JSONObject, of document: [UInt8]) {
    for member in [object.members.first, object.members.last] {
        guard let member else { continue }
        let slice = (try? JSONSlice.bytes(at: [member.key], in: document)) ?? nil
        insist(slice.flatMap { try? JSONValue(parsing: $0) } == member.value, "the slice is another value")
    }
}

/// How deep and how large a value is, counted from outside.
struct JSONSize {
    private(set) var depth = 0
    private(set) var values = 1

    init(_ value: JSONValue) {
        let children = value.arrayValue ?? value.objectValue?.members.map(\.value)
        guard let children else { return }
        for child in children {
            let size = JSONSize(child)
            depth = max(depth, size.depth)
            values += size.values
        }
        depth += 1
    }
}

/// Found in under a minute, or the fuzzing is worth nothing: `Tests/Fuzz/run --self-check`.
private func plantedBug(_ value: JSONValue) {
    #if PLANTED_BUG
        let numbers = (value.objectValue?.members ?? []).compactMap { $0.value.numberValue?.text }
        insist(!numbers.contains { $0.hasPrefix("-") }, "the planted bug")
    #endif
}
