import Testing

@testable import Sandbox

@Suite struct PolicyCheckTests {
    private func refusal(_ change: (inout JailPolicy) -> Void) -> String? {
        var policy = JailPolicy(name: "p", program: .sealed, arguments: ["p"])
        change(&policy)
        do {
            try PolicyCheck.check(policy)
            return nil
        } catch { return error.message }
    }

    @Test func aPlainPolicyPasses() { #expect(refusal { _ in } == nil) }

    @Test(arguments: ["relative", "/a/../b", "/a//b", "/a/", "/./a", ""])
    func pathsThatAreNotPlainAreRefused(path: String) {
        #expect(refusal { $0.workingDirectory = path }?.contains("absolute path") == true)
        #expect(refusal { $0.mounts = [JailMount(source: path, destination: "/x")] } != nil)
        #expect(refusal { $0.mounts = [JailMount(source: "/x", destination: path)] } != nil)
    }

    @Test(arguments: ["/", "/proc", "/proc/self", "/dev", "/dev/sda", "/tmp/x"])
    func mountsOverWhatTheJailMakesItselfAreRefused(path: String) {
        #expect(refusal { $0.mounts = [JailMount(source: "/x", destination: path)] }?.contains("its own") == true)
    }

    @Test func scriptsNeedPlainPathsOutsideOfWhatTheJailMakes() {
        func refused(_ interpreter: String, _ script: String) -> String? {
            refusal { $0.program = .script(interpreter: interpreter, script: script) }
        }
        #expect(refused("/usr/bin/python3", "/plugin.pyz") == nil)
        #expect(refused("python3", "/plugin.pyz")?.contains("absolute path") == true)
        #expect(refused("/usr/bin/python3", "/a/../b")?.contains("absolute path") == true)
        #expect(refused("/usr/bin/python3", "/tmp/x")?.contains("its own") == true)
        #expect(refused("/usr/bin/python3", "/a\0b")?.contains("NUL") == true)
    }

    @Test func nulBytesAreRefusedEverywhere() {
        #expect(refusal { $0.arguments = ["a\0b"] }?.contains("NUL") == true)
        #expect(refusal { $0.environment = ["A": "\0"] }?.contains("NUL") == true)
    }

    @Test func variablesNeedAName() {
        #expect(refusal { $0.environment = ["": "1"] } != nil)
        #expect(refusal { $0.environment = ["A=B": "1"] } != nil)
    }

    @Test func limitsThatNoProgramCouldStartWithAreRefused() {
        #expect(refusal { $0.limits.openFiles = 15 }?.contains("openFiles is 15") == true)
        #expect(refusal { $0.limits.processes = 0 } != nil)
        #expect(refusal { $0.limits.memoryBytes = 4096 } != nil)
    }

    @Test func argumentsAreNeeded() { #expect(refusal { $0.arguments = [] }?.contains("argv[0]") == true) }

    @Test func aProgramWithoutSlashNeedsASearchPath() {
        #expect(refusal { $0.program = .path("ls") }?.contains("PATH") == true)
    }

    @Test func tooManyMountsAreRefusedBeforeThePlanIsCompiled() {
        let mounts = (0..<60).map { JailMount(source: "/s/\($0)", destination: "/d/\($0)") }
        #expect(refusal { $0.mounts = mounts }?.contains("60 mounts") == true)
    }
}
