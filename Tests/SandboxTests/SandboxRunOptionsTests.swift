import Testing

@testable import Sandbox

struct SandboxRunOptionsTests {
    @Test func bindsAreWritableAndReadOnlyOnesAreNot() throws {
        let bind = try SandboxRun.Options.mount("/a:/b", writable: true)
        #expect(bind.writable && bind.source == "/a" && bind.destination == "/b")
        #expect(try !SandboxRun.Options.mount("/a:/b", writable: false).writable)
        for text in ["", "/a", "a:/b", "/a:b", "/a:/b:/c", ":", "/a:"] {
            #expect(throws: JailError.self) { try SandboxRun.Options.mount(text, writable: true) }
        }
    }

    @Test func theWholeMachineIsNeverShownHoweverItIsSpelled() throws {
        for source in ["/", "//", "/.", "/usr/..", "/proc/self/root"] {
            var options = SandboxRun.Options()
            options.binds = [try SandboxRun.Options.mount("\(source):/host", writable: false)]
            let error = #expect(throws: JailError.self, "\(source)") { try options.resolvedBinds() }
            #expect(error?.message.contains("the whole machine cannot be shown") == true, "\(source)")
        }
    }

    @Test func whatTheJailHasOfItsOwnCannotBeMountedOver() throws {
        for place in ["/proc", "/dev/null", "/tmp/x", "/tmp"] {
            var options = SandboxRun.Options()
            options.binds = [try SandboxRun.Options.mount("/usr:\(place)", writable: false)]
            #expect(throws: JailError.self, "\(place)") { try options.check() }
        }
        var options = SandboxRun.Options()
        options.binds = [try SandboxRun.Options.mount("/usr:/tmpfiles", writable: false)]
        try options.check()
    }

    @Test func theFormerSpellingOfAWritableBindSaysWhatToWrite() {
        let error = #expect(throws: JailError.self) { try SandboxRun.Options.mount("/a:/b:rw", writable: true) }
        #expect(error?.message.contains("--ro-bind") == true)
    }

    @Test func variablesHaveANameAndMayHoldEqualsSigns() throws {
        let variable = try SandboxRun.Options.variable("A=b=c")
        #expect(variable.name == "A" && variable.value == "b=c")
        #expect(try SandboxRun.Options.variable("A=").value == "")
        for text in ["", "A", "=b"] {
            #expect(throws: JailError.self) { try SandboxRun.Options.variable(text) }
        }
    }

    @Test func sizesAreInPowersOf1024() throws {
        #expect(try SandboxRun.Options.size("1048576") == 1 << 20)
        #expect(try SandboxRun.Options.size("512M") == 512 << 20)
        #expect(try SandboxRun.Options.size("2G") == 2 << 30)
        for text in ["", "M", "0", "-1", "1.5G", "12T", "99999999999999999999", "99999999999G", "١M"] {
            #expect(throws: JailError.self) { try SandboxRun.Options.size(text) }
        }
    }

    @Test(arguments: [0, -1, .infinity, .nan])
    func timeoutsMustBeTimes(seconds: Double) {
        var options = SandboxRun.Options()
        options.seconds = seconds
        #expect(throws: JailError.self) { try options.check() }
    }

    @Test func networkThatNothingServesIsRefusedBeforeAnythingRuns() async {
        var options = SandboxRun.Options()
        options.network = ["example.com:443"]
        let error = await #expect(throws: JailError.self) {
            try await SandboxRun.run(options, command: ["true"], helper: "/nowhere/nexus-jail")
        }
        #expect(error?.message.contains("example.com:443") == true)
        #expect(error.map { SandboxRun.status(of: $0) } == SandboxRun.couldNotBuildStatus)
    }
}
