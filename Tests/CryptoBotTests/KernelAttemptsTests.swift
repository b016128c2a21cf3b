import Testing

@testable import CryptoBotCore

@Suite struct KernelAttemptsTests {
    @Test func outsideTheJailTheAttemptsSucceed() {
        // The negative control of the self-check: this process is not jailed, and the report says so.
        let outcomes = Dictionary(uniqueKeysWithValues: KernelAttempts.all().map { ($0.name, $0.outcome) })
        #expect(outcomes["read /etc/passwd"] == .allowed)
        #expect(outcomes["list directories of the host"] == .allowed)
        #expect(outcomes["open an internet socket"] == .allowed)
        #expect(outcomes["start /bin/sh"] == .allowed)
    }

    @Test func variableThatLooksLikeASecretIsNamed() {
        let attempt = KernelAttempts.environment(names: ["HOME", "API_KEY"])
        #expect(attempt.outcome == .allowed)
        #expect(attempt.detail.hasSuffix(": API_KEY"))
    }

    @Test func harmlessEnvironmentIsListed() {
        #expect(KernelAttempts.environment(names: []).detail == "the environment is empty")
        #expect(KernelAttempts.environment(names: ["LANG"]).outcome == .denied)
    }
}
