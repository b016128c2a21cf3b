internal import CAllocations

/// Ends the program, and libFuzzer keeps the input that led here.
public func insist(_ holds: Bool, _ property: @autoclosure () -> String) {
    if !holds { fatalError("finding: \(property())") }
}

/// A place on the way to a planted bug. The call keeps the branches before it apart, as those of a real bug would be.
@inline(never)
public func step() { steps &+= 1 }
nonisolated(unsafe) private var steps = 0

/// Memory in proportion to the input: `perByte` bytes for each of its bytes, and half a megabyte beside. libFuzzer's
/// own -malloc_limit_mb would need a sanitizer that replaces malloc.
public func withBoundedAllocations<Result>(input: Int, perByte: Int, _ body: () -> Result) -> Result {
    allocations_watch(1 << 19 + perByte * input)
    defer { _ = allocations_rest() }
    return body()
}

/// What libFuzzer hands over, cut into the parts that a target needs.
public struct FuzzInput {
    public private(set) var rest: ArraySlice<UInt8>

    public init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        rest = [UInt8](UnsafeBufferPointer(start: start, count: count))[...]
    }

    /// The next byte; 0 at the end.
    public mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
