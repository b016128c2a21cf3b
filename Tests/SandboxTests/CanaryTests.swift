import Glibc
import Testing

@testable import Sandbox

/// The forbidden acts that every jail tries before its program runs. In each of these jails one layer says yes and does
/// nothing, and the kernel's own account of it is forged as well: only the act is left to notice it.
@Suite(.serialized) struct CanaryTests {
    /// What is left out, and what the start then ends with.
    private static let acts = [
        ("counts", "user namespaces are not used up"), ("dumpable", "init can be traced"),
        ("mount", "file systems can be mounted"), ("chroot", "the root can be changed"),
        ("hostname", "the namespaces can be administered"), ("map", "there is a root to become"),
    ]

    /// The helper was written a moment ago. A program that another test starts right then holds it open until its exec.
    private func launcher(_ person: Person, _ helper: String) throws(JailError) -> JailLauncher {
        for _ in 0..<200 {
            do throws(JailError) {
                return try JailLauncher.start(helper: helper, mountRoots: ["/usr"], cgroups: person.cgroups)
            } catch  where error.errno == ETXTBSY {
                usleep(10_000)
            }
        }
        return try JailLauncher.start(helper: helper, mountRoots: ["/usr"], cgroups: person.cgroups)
    }

    private func start(_ person: Person, leavingOut layer: String) async throws -> (error: JailError?, output: String) {
        let launcher = try launcher(person, try person.weakHelper(leavesOut: layer))
        defer { launcher.close() }
        let capture = try Capture()
        let policy = SystemPolicy.program(["/usr/bin/echo", "it runs"])
        do throws(JailError) {
            let jail = try await launcher.spawn(policy, descriptors: JailDescriptors(standardOutput: capture.writing))
            _ = await jail.exited()
            return (nil, capture.finish())
        } catch {
            return (error, capture.finish())
        }
    }

    @Test(arguments: Person.available)
    func jailInWhichAForbiddenActSucceedsDoesNotStartItsProgram(person: Person) async throws {
        for (layer, problem) in Self.acts {
            // An ordinary user may write a map of one line only, so that no launcher of theirs could make this jail.
            if layer == "map" && person == .ordinary { continue }
            let (error, output) = try await start(person, leavingOut: layer)
            print("canary [\(person.rawValue)] \(layer) left out: \(error.map(\.message) ?? "started")")
            #expect(error?.layer == "verify" && error?.message.contains(problem) == true, "\(layer) left out")
            #expect(output.isEmpty)
        }
    }

    /// The control: it is what was left out that the others fail for.
    @Test(arguments: Person.available)
    func sameJailWithNothingLeftOutStarts(person: Person) async throws {
        let (error, output) = try await start(person, leavingOut: "none")
        #expect(error == nil && output == "it runs")
    }

    /// A new act in the jail wants a case here.
    @Test func everyActOfTheJailHasACase() throws {
        let source = try Programs.source("Sources/Sandbox/JailHelper/confine.c")
        let table = try #require(source.split(separator: "} forbidden[] = {").last?.split(separator: "\n};").first)
        let problems = table.split(separator: "\n").compactMap { line in
            line.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first.map(String.init)
        }
        #expect(problems == Self.acts.map(\.1))
    }
}
