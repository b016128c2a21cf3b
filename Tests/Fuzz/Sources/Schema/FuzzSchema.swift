// Input: a schema, a zero byte, a value. Bounded time is libFuzzer's -timeout.
internal import Findings
internal import JSONBytes
internal import PluginABI

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let parts = FuzzInput(start, count).rest.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard let root = try? JSONValue(parsing: Array(parts[0])) else { return 0 }
    let schema: JSONSchema
    do throws(JSONSchema.Defect) {
        schema = try JSONSchema(root)
    } catch {
        insist(!error.reason.isEmpty, "a defect without a reason")
        return 0
    }
    guard parts.count == 2, let value = try? JSONValue(parsing: Array(parts[1])) else { return 0 }
    let violations = withBoundedAllocations(input: count, perByte: 1 << 16) { schema.violations(in: value) }
    insist(violations.count <= 8, "\(violations.count) violations are reported")
    insist(violations.allSatisfy { !$0.reason.isEmpty }, "a violation without a reason")
    // By bytes: a combining mark at the start of a name makes another Character of the slash before it.
    insist(violations.allSatisfy { [nil, 0x2F].contains($0.path.utf8.first) }, "a path that is no JSON Pointer")
    insist(schema.violations(in: value) == violations, "the second answer differs")
    insist(schema.violations(in: value, limit: 1) == Array(violations.prefix(1)), "the limit changes the answer")
    if let opposite = try? JSONSchema(.object(JSONObject([("not", root)]))) {
        insist(opposite.violations(in: value).isEmpty != violations.isEmpty, "value and schema fit, and do not")
    }
    plantedBug(root)
    return 0
}

/// Found in under a minute, or the fuzzing is worth nothing: `Tests/Fuzz/run --self-check`.
private func plantedBug(_ schema: JSONValue) {
    #if PLANTED_BUG
        let members = schema["properties"]?.objectValue?.members ?? []
        insist(!members.contains { $0.value["$defs"] != nil }, "the planted bug")
    #endif
}
