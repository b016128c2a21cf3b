internal import PluginABI

extension PluginTalk {
    /// Takes the plugin from where it is to a state on the way to `running`.
    ///
    /// - Throws: `unreachable` with the requirement that it broke on its way.
    func reach(_ target: LifecycleState) throws(CheckStop) {
        let way: [LifecycleState] = [.greeted, .welcomed, .initialized, .running]
        for state in way {
            if lifecycle.state == target { return }
            try step(to: state)
        }
    }

    private func step(to state: LifecycleState) throws(CheckStop) {
        switch state {
        case .greeted:
            guard offered == nil else { return }
            if try !wait(limits.hello, until: { offered != nil }) { throw noHello() }
        case .welcomed:
            guard lifecycle.state == .greeted else { return }
            welcome()
        case .initialized:
            guard lifecycle.state == .welcomed else { return }
            send(.initialize(configuration: Array("{}".utf8)))
            try arrive(at: .initialized, limits.initialize)
        default:
            guard lifecycle.state == .initialized || lifecycle.state == .stopped else { return }
            send(.start)
            try arrive(at: .running, limits.start)
        }
    }

    /// Sends welcome with the highest version that both speak.
    func welcome(bodyLimit: Int = ABILimits.bodyBytes) {
        let version = min(offered?.maximum ?? 1, VersionRange.supported.maximum)
        send(.welcome(version: version, instance: "conformance", bodyLimit: UInt32(bodyLimit)))
        self.bodyLimit = bodyLimit
    }

    /// Waits for the plugin to enter a state.
    func arrive(at state: LifecycleState, _ milliseconds: Int) throws(CheckStop) {
        if try wait(milliseconds, until: { lifecycle.state == state }) { return }
        throw .unreachable(
            requirement: Rule.states, why: "the plugin did not get to the state \(state): \(found)",
            remedy: "answer initialize, start, stop and dispose with initialized, started, stopped and disposed")
    }

    /// Why nothing came on descriptor 3, as far as the rest of the process tells.
    private func noHello() -> CheckStop {
        // A frame's header on stdout: length, kind, flags and reserved bytes as those of a hello.
        let wroteFrames =
            output.count >= 16 && output[4] == FrameKind.hello.rawValue && output[5...7].allSatisfy { $0 == 0 }
        if wroteFrames {
            return .unreachable(
                requirement: Rule.notStdout, why: "the frames were written to stdout; descriptor 3 stayed silent",
                remedy: "write frames to descriptor 3; what is written to stdout is kept as a log and never read")
        }
        return .unreachable(
            requirement: Rule.hello, why: "no hello came on descriptor 3 within \(limits.hello) ms: \(found)",
            remedy: "send hello first, as soon as the process runs, on descriptor 3")
    }

    // MARK: Calls

    /// Opens a call, with false credentials of the names that the tool declares.
    @discardableResult
    func call(
        _ planned: PlannedCall, within milliseconds: Int? = nil, credentials: Bool = true, traceparent: String? = nil,
        tracestate: String? = nil
    ) -> UInt64 {
        let stream = nextStream
        nextStream += 2
        calls[stream] = OpenedCall(tool: planned.tool)
        let sent = credentials ? planned.credentials.map { Canary(name: $0) } : []
        canaries += sent.map(\.bytes)
        let deadline = Int(KitClock.unix()) + (milliseconds ?? limits.call)
        send(
            .call(
                Message.Call(
                    tool: planned.tool, arguments: planned.arguments, deadline: UInt64(deadline),
                    requestID: "conformance-\(stream)", credentials: sent.map(\.credential),
                    traceparent: traceparent, tracestate: tracestate)), on: stream)
        return stream
    }

    /// Whether every call has ended.
    func ended(_ streams: [UInt64]) -> Bool { streams.allSatisfy { calls[$0]?.ends.isEmpty == false } }

    /// Waits for the ends of calls that are a check's means, not its point.
    func settle(_ streams: [UInt64]) throws(CheckStop) {
        if try wait(limits.call, until: { ended(streams) }) { return }
        let open = streams.filter { calls[$0]?.ends.isEmpty != false }
        if let starved = open.first(where: { (calls[$0]?.dataBytes ?? 0) >= ABILimits.initialCreditBytes }), !isClosed {
            throw .unreachable(
                requirement: Rule.credit, why: "call \(starved) did not go on with the credit that came",
                remedy: "wake what waits for credit when credit comes, and count it")
        }
        let tools = Set(open.compactMap { calls[$0]?.tool }).sorted().joined(separator: ", ")
        throw .unreachable(
            requirement: Rule.answer, why: "no terminal frame for \(open.count) calls of \(tools): \(found)",
            remedy: "answer every call with result, error or cancelled")
    }

    /// A call that is still open after a moment: the author's slow tool.
    func openSlowCall() throws(CheckStop) -> UInt64 {
        guard let slow = plan.slow else { throw .skipped(reason: CallPlan.howToNameSlow) }
        let stream = call(slow, within: 60_000)
        try listen(limits.moment)
        guard !ended([stream]) else {
            throw .skipped(
                reason: "the slow tool \(slow.tool) ended within \(limits.moment) ms; give it arguments in "
                    + "conformance.json with which it runs for at least ten seconds")
        }
        return stream
    }

    /// The same, of a plugin that reads while it runs: else nothing can be told it then.
    func openHeardCall() throws(CheckStop) -> UInt64 {
        let stream = try openSlowCall()
        _ = try isAlive()
        return stream
    }

    /// Whether the session still lives: a ping comes back.
    func isAlive() throws(CheckStop) -> Bool {
        let nonce = 0x5EED_0000 + UInt64(pongs.count)
        send(.ping(nonce: nonce))
        if try wait(limits.patience, until: { pongs.contains(nonce) }) { return true }
        guard isClosed else {
            throw .unreachable(
                requirement: Rule.ping, why: "no pong with the nonce of a ping came",
                remedy: "answer ping from the loop that reads, with its nonce")
        }
        return false
    }
}

/// A credential that opens nothing and is easy to find.
struct Canary {
    var name: String
    var bytes: [UInt8]

    init(name: String) {
        self.name = name
        bytes = Array("canary-".utf8)
        for _ in 0..<24 { bytes.append(UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"))) }
    }

    var credential: Credential { Credential(name: name, value: SecretBytes(copying: bytes)) }
}
