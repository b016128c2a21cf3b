import Glibc
import JSONBytes
import PluginABI
import SpecVectors
import Testing

/// Plugins written in C from the specification alone (Tests/Fixtures/plugins) against this implementation.
@Suite struct HandwrittenPluginTests {
    private func echo() throws -> PluginProcess {
        let plugin = try PluginProcess("echo", executable: "echo")
        try plugin.start()
        return plugin
    }

    @Test func bothSidesAgreeOnAWholeLife() throws {
        let plugin = try echo()
        let text = #" {"n": 0.10, "é":"\u00e9"} "#
        try plugin.call("echo", text, stream: 1)
        #expect(try plugin.result(stream: 1) == text)
        try plugin.send(.ping(nonce: .max))
        #expect(try plugin.expect(.pong).vector == ["nonce": "18446744073709551615"])
        try plugin.call("nothing", stream: 3)
        #expect(try plugin.expect(.error, stream: 3).vector["code"] == "unknown-tool")
        try plugin.send(.stop(deadline: PluginProcess.soon))
        try plugin.expect(.stopped)
        try plugin.send(.start)
        try plugin.expect(.started)
        try plugin.call("sleep", #"{"ms":1}"#, stream: 5)
        #expect(try plugin.result(stream: 5) == #"{"slept":1}"#)
        try plugin.send(.stop(deadline: PluginProcess.soon))
        try plugin.expect(.stopped)
        try plugin.send(.dispose)
        try plugin.expect(.disposed)
        #expect(plugin.lifecycle.state == .disposed)
        #expect(plugin.end() == 0)
    }

    @Test func credentialsArriveInTheirOwnField() throws {
        let plugin = try echo()
        let credentials = [
            Credential(name: "api_key", value: SecretBytes(copying: Array("s3cret".utf8))),
            Credential(
                name: "shared_key", value: SecretBytes(copying: [UInt8](repeating: 0, count: ABILimits.credentialBytes))
            ),
        ]
        try plugin.call("credentials", stream: 1, credentials: credentials)
        #expect(
            try plugin.result(stream: 1)
                == #"{"credentials":[{"name":"api_key","length":6},{"name":"shared_key","length":16384}]}"#)
        try plugin.call("credentials", stream: 3)
        #expect(try plugin.result(stream: 3) == #"{"credentials":[]}"#)
    }

    @Test func aCancelledCallEndsOnceAndTheNextOneRuns() throws {
        let plugin = try echo()
        try plugin.call("sleep", #"{"ms":60000}"#, stream: 1)
        try plugin.call("sleep", #"{"ms":60000}"#, stream: 3)
        try plugin.call("echo", stream: 5)
        try plugin.send(.cancel(reason: "not needed"), stream: 3)
        try plugin.send(.cancel(reason: "not needed"), stream: 1)
        try plugin.send(.cancel(reason: "said twice"), stream: 1)
        try plugin.expect(.cancelled, stream: 1)
        try plugin.expect(.cancelled, stream: 3)
        #expect(try plugin.result(stream: 5) == "{}")
    }

    @Test func logsBelongToTheirCallAndStandardOutputIsNotTheProtocol() throws {
        let plugin = try echo()
        try plugin.call("log", #"{"message":"hi"}"#, stream: 1)
        for level in Message.LogLevel.allCases {
            let record = try plugin.expect(.log, stream: 1)
            #expect(record.vector == ["level": .string("\(level)"), "message": "hi", "fields": .null])
        }
        #expect(try plugin.result(stream: 1) == #"{"logged":4}"#)
        try plugin.call("stdout", stream: 3)
        #expect(try plugin.result(stream: 3) == #"{"written":true}"#)
    }

    @Test func theEnvironmentIsWhatWasGiven() throws {
        let plugin = try echo()
        try plugin.call("environment", stream: 1)
        let environment = try JSONValue(parsing: plugin.result(stream: 1))
        #expect(environment["variables"] == ["LANG"])
        #expect(environment["descriptors"]?.arrayValue?.contains(3) == true)
    }

    @Test func endOfFileEndsThePlugin() throws {
        let plugin = try echo()
        try plugin.call("sleep", #"{"ms":60000}"#, stream: 1)
        plugin.hangUp()
        #expect(plugin.end() == 0)
    }

    @Test func aCrashIsTheEndOfTheStream() throws {
        let plugin = try echo()
        try plugin.call("crash", stream: 1)
        #expect(try plugin.receive() == nil)
        #expect(plugin.end() & 0x7F == SIGABRT)
    }

    /// What each rogue's first offence is called.
    static let offences: [(mode: String, code: ABIError.Code)] = [
        ("garbage", .frameTooLarge), ("garbage-at-start", .frameTooLarge), ("oversized", .frameTooLarge),
        ("unknown-kind", .unknownKind), ("bad-version", .noCommonVersion), ("early-call-result", .unexpectedMessage),
        ("unknown-stream", .unknownStream), ("host-voice", .unexpectedMessage), ("huge-result", .malformedFrame),
    ]

    @Test(arguments: offences.indices)
    func everyRogueIsCaughtByItsOwnOffence(_ index: Int) throws {
        let (mode, code) = Self.offences[index]
        let plugin = try PluginProcess("rogue-\(mode)", executable: "rogue", arguments: [mode])
        do {
            try plugin.start()
            try plugin.call("poke", stream: 1)
            while let (message, _) = try plugin.receive(), !message.kind.isTerminal {}
            Issue.record("\(mode) was not caught")
        } catch let error as ABIError {
            #expect(error.code == code, "\(mode): \(error)")
        }
    }

    @Test func aSlowPluginIsUnderstood() throws {
        let plugin = try PluginProcess("rogue-slow-bytes", executable: "rogue", arguments: ["slow-bytes"])
        try plugin.start()
        try plugin.call("poke", #"{"a":1}"#, stream: 1)
        #expect(try plugin.result(stream: 1) == #"{"a":1}"#)
    }

    @Test func aSecondReplyArrivesAsASecondTerminalFrame() throws {
        let plugin = try PluginProcess("rogue-double-reply", executable: "rogue", arguments: ["double-reply"])
        try plugin.start()
        try plugin.call("poke", stream: 1)
        #expect(try plugin.result(stream: 1) == "{}")
        #expect(try plugin.result(stream: 1) == #"{"second":true}"#)
    }

    @Test func aPluginThatExitsAtStartIsHeardOfAtOnce() throws {
        let plugin = try PluginProcess("rogue-exit-at-start", executable: "rogue", arguments: ["exit-at-start"])
        try plugin.initialize()
        try plugin.send(.start)
        #expect(try plugin.receive() == nil)
        #expect(plugin.end() >> 8 == 3)
    }

    @Test func theSecretEchoReallyLeaks() throws {
        // The host's redaction is tested against this plugin, so it has to be as bad as it says.
        let plugin = try PluginProcess("rogue-secret-echo", executable: "rogue", arguments: ["secret-echo"])
        try plugin.start()
        try plugin.call("poke", stream: 1, credentials: [Samples.credential])
        #expect(try plugin.expect(.log, stream: 1).vector["message"] == "the secret is s3cret-value!")
        #expect(try plugin.result(stream: 1) == #"{"leaked":["s3cret-value"]}"#)
    }

    @Test func aRefusedStartIsAnErrorOfTheSession() throws {
        let plugin = try PluginProcess("rogue-refuse-start", executable: "rogue", arguments: ["refuse-start"])
        try plugin.initialize()
        try plugin.send(.start)
        #expect(try plugin.expect(.error).vector["code"] == "plugin-failed")
        #expect(plugin.lifecycle.state == .failed)
    }
}
