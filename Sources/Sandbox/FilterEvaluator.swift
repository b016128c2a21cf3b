/// The six registers and the number of one system call, as `struct seccomp_data` shows them to a filter.
struct CallData: Equatable, Sendable {
    var number: UInt32
    var architecture = FilterProgram.architecture
    var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

    /// The 32-bit word at an offset of `struct seccomp_data`; nil outside of it, or off a boundary.
    func word(at offset: UInt32) -> UInt32? {
        guard offset % 4 == 0 else { return nil }
        switch offset {
        case 0: return number
        case 4: return architecture
        case 16..<64:
            let argument = arguments[Int(offset - 16) / 8]
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
        default: return nil
        }
    }
}

/// Runs a compiled filter over one call, without the kernel: the tests ask it about every number, and a recording
/// about each call that it sees. Takes the bytes, not the rules, so that it judges what the kernel will run.
struct FilterEvaluator: Sendable {
    let program: [FilterInstruction]

    /// Nil for bytes that are not whole instructions of the kinds that FilterProgram makes.
    init?(bytes: [UInt8]) {
        guard bytes.count % 8 == 0 else { return nil }
        var program: [FilterInstruction] = []
        for start in stride(from: 0, to: bytes.count, by: 8) {
            let (code, value) = bytes.withUnsafeBytes {
                (
                    $0.loadUnaligned(fromByteOffset: start, as: UInt16.self),
                    $0.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self)
                )
            }
            guard let known = FilterInstruction.Code(rawValue: code) else { return nil }
            program.append(
                .init(code: known, ifTrue: bytes[start + 2], ifFalse: bytes[start + 3], value: value))
        }
        self.program = program
    }

    /// What the filter answers; nil where the kernel would have refused the filter, or where it runs off its end.
    func answer(_ call: CallData) -> FilterAction? {
        var (at, accumulator): (Int, UInt32) = (0, 0)
        // Jumps only go forward, so that this ends.
        while program.indices.contains(at) {
            let instruction = program[at]
            at += 1
            switch instruction.code {
            case .load:
                guard let word = call.word(at: instruction.value) else { return nil }
                accumulator = word
            case .and: accumulator &= instruction.value
            case .jump: at += Int(instruction.value)
            case .jumpIfEqual:
                at += Int(accumulator == instruction.value ? instruction.ifTrue : instruction.ifFalse)
            case .jumpIfAtLeast:
                at += Int(accumulator >= instruction.value ? instruction.ifTrue : instruction.ifFalse)
            case .answer: return FilterAction(value: instruction.value)
            }
        }
        return nil
    }
}
