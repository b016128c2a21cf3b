// Classic BPF, as seccomp(2) takes it: a binary search over the numbers of system calls, and a few comparisons where
// arguments count. Written here because a call that is allowed for some arguments needs an answer of its own for the
// others, which libseccomp's rules cannot say.

/// What a filter answers, as `SECCOMP_RET_*` has it.
enum FilterAction: Equatable, Sendable {
    case allow
    /// The kernel answers with this errno.
    case refuse(errno: Int32)
    /// The host is asked for the errno; nobody else can answer.
    case report
    /// Allowed while the process is traced (`SECCOMP_RET_TRACE`), ENOSYS else: init traces it up to its first exec.
    case watch
    case kill

    var value: UInt32 {
        switch self {
        case .allow: 0x7FFF_0000
        case .refuse(let number): 0x0005_0000 | UInt32(truncatingIfNeeded: number) & 0xFFFF
        case .report: 0x7FC0_0000
        case .watch: 0x7FF0_0000
        case .kill: 0x8000_0000
        }
    }

    /// Nil for a value that no filter of ours returns.
    init?(value: UInt32) {
        switch value & 0xFFFF_0000 {
        case 0x7FFF_0000: self = .allow
        case 0x0005_0000: self = .refuse(errno: Int32(value & 0xFFFF))
        case 0x7FC0_0000: self = .report
        case 0x7FF0_0000: self = .watch
        case 0x8000_0000: self = .kill
        default: return nil
        }
    }
}

/// What is decided about one system call.
enum CallDecision: Equatable, Sendable {
    case always(FilterAction)
    /// `then` where one of the conditions holds.
    case when([SyscallRule.Condition], then: FilterAction, otherwise: FilterAction)
}

/// One `struct sock_filter`.
struct FilterInstruction: Equatable, Sendable {
    enum Code: UInt16 {
        case load = 0x20  // BPF_LD | BPF_W | BPF_ABS
        case jump = 0x05  // BPF_JMP | BPF_JA
        case jumpIfEqual = 0x15
        case jumpIfAtLeast = 0x35
        case and = 0x54  // BPF_ALU | BPF_AND | BPF_K
        case answer = 0x06  // BPF_RET | BPF_K
    }
    var code: Code
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    var value: UInt32
}

enum FilterProgram {
    /// Offsets in `struct seccomp_data`.
    static let numberOffset: UInt32 = 0
    static let architectureOffset: UInt32 = 4
    static let argumentsOffset: UInt32 = 16
    /// `AUDIT_ARCH_*` of the machine that this was compiled for.
    #if arch(x86_64)
        static let architecture: UInt32 = 0xC000_003E
    #elseif arch(arm64)
        static let architecture: UInt32 = 0xC000_00B7
    #endif
    /// x32 calls on x86-64 have this bit; no processor has calls above it.
    static let firstForeignNumber: UInt32 = 0x4000_0000

    /// The whole filter. Another architecture's calls, and x32's, kill the process; numbers without a decision get
    /// `others`.
    static func assemble(
        _ decisions: [Int32: CallDecision], others: FilterAction
    )
        -> [FilterInstruction]
    {
        var ranges: [(first: UInt32, decision: CallDecision)] = [(0, .always(others))]
        func append(_ first: UInt32, _ decision: CallDecision) {
            if ranges.last?.first == first { ranges.removeLast() }
            if ranges.last?.decision != decision { ranges.append((first, decision)) }
        }
        for (number, decision) in decisions.sorted(by: { $0.key < $1.key }) where number >= 0 {
            append(UInt32(number), decision)
            append(UInt32(number) + 1, .always(others))
        }
        return [
            .init(code: .load, value: architectureOffset),
            .init(code: .jumpIfEqual, ifTrue: 1, value: architecture),
            .init(code: .answer, value: FilterAction.kill.value),
            .init(code: .load, value: numberOffset),
            .init(code: .jumpIfAtLeast, ifFalse: 1, value: firstForeignNumber),
            .init(code: .answer, value: FilterAction.kill.value),
        ] + search(ranges[...])
    }

    /// A tree of comparisons; a jump that is too far for eight bits goes by way of an unconditional one.
    private static func search(
        _ ranges: ArraySlice<(first: UInt32, decision: CallDecision)>
    )
        -> [FilterInstruction]
    {
        let middle = ranges.startIndex + ranges.count / 2
        guard ranges.count > 1 else { return ranges.first.map { leaf($0.decision) } ?? [] }
        let (below, above) = (search(ranges[..<middle]), search(ranges[middle...]))
        let pivot = ranges[middle].first
        if let distance = UInt8(exactly: below.count) {
            return [.init(code: .jumpIfAtLeast, ifTrue: distance, value: pivot)] + below + above
        }
        let far = FilterInstruction(code: .jump, value: UInt32(below.count))
        return [.init(code: .jumpIfAtLeast, ifFalse: 1, value: pivot), far] + below + above
    }

    private static func leaf(_ decision: CallDecision) -> [FilterInstruction] {
        switch decision {
        case .always(let action): return [.init(code: .answer, value: action.value)]
        case .when(let conditions, let then, let otherwise):
            let yes = FilterInstruction(code: .answer, value: then.value)
            return conditions.flatMap { test($0, yes) } + [.init(code: .answer, value: otherwise.value)]
        }
    }

    /// Answers with `yes` where the condition holds, else falls through. The kernel takes 32 bits of these arguments,
    /// so the lower half is all that is looked at: bits above must not make an argument look different.
    private static func test(
        _ condition: SyscallRule.Condition, _ yes: FilterInstruction
    )
        -> [FilterInstruction]
    {
        var code = [
            FilterInstruction(code: .load, value: argumentsOffset + 8 * UInt32(condition.argument)),
            FilterInstruction(code: .and, value: condition.mask),
        ]
        if let also = condition.also.first {
            // The other argument takes the place of this one, which is loaded anew for each value.
            let inner = test(also, yes)
            return condition.values.flatMap { value in
                code + [.init(code: .jumpIfEqual, ifFalse: UInt8(inner.count), value: value)] + inner
            }
        }
        for value in condition.values {
            code += [.init(code: .jumpIfEqual, ifFalse: 1, value: value), yes]
        }
        return code
    }

    /// As the kernel reads it: struct sock_filter in the machine's byte order.
    static func bytes(_ program: [FilterInstruction]) -> [UInt8] {
        program.flatMap { instruction in
            withUnsafeBytes(of: instruction.code.rawValue) { Array($0) }
                + [instruction.ifTrue, instruction.ifFalse]
                + withUnsafeBytes(of: instruction.value) { Array($0) }
        }
    }
}
