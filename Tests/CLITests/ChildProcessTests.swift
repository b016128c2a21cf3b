import Testing

@testable import nexus

struct ChildProcessTests {
    @Test func bothOutputsAndTheStatusAreKept() async throws {
        let child = ChildProcess(
            command: ["sh", "-c", "echo $WORD; pwd >&2; exit 4"], directory: "/usr",
            environment: ["WORD": "said"])
        let outcome = try await child.run()
        #expect(outcome.status == 4)
        #expect(outcome.words == "said\n/usr\n")
    }

    @Test func aProgramThatIsMissingIsNamed() async throws {
        let child = ChildProcess(command: ["no-such-program"], directory: "/")
        let failure = await #expect(throws: CommandFailure.self) { try await child.run() }
        #expect(failure?.message.hasPrefix("no-such-program was not found") == true)
    }

    /// Whatever ends this, nothing of its output stays behind.
    @Test func itsOutputGoesToAFileWithoutAName() async throws {
        let child = ChildProcess(command: ["readlink", "/proc/self/fd/1"], directory: "/")
        #expect(try await child.run().words.hasSuffix(" (deleted)\n"))
    }

    /// More than a pipe holds, and nobody waits for anybody.
    @Test func manyWordsDoNotBlockIt() async throws {
        let child = ChildProcess(command: ["sh", "-c", "yes line 2>/dev/null | head -200000"], directory: "/")
        #expect(try await child.run().words.utf8.count == 1_000_000)
    }
}
