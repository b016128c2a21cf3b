import Sandbox
import Testing

@testable import Confinement

@Suite struct PythonRuntimeTests {
    private static let debian = [
        "/usr/bin/python3": "/usr/bin/python3.11", "/usr/lib/python3.11": "/usr/lib/python3.11",
        "/usr/lib/x86_64-linux-gnu": "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu": "/usr/lib/aarch64-linux-gnu",
        "/lib64/ld-linux-x86-64.so.2": "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        "/lib/ld-linux-aarch64.so.1": "/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
    ]

    @Test func interpreterLibrariesAndLoaderAreAllThatIsMounted() throws {
        let runtime = try #require(PythonRuntime.find { Self.debian[$0] })
        let destinations = runtime.mounts.map(\.destination)
        #expect(destinations.count == 4 && !destinations.contains("/usr"))
        #expect(destinations.contains("/usr/bin/python3") && destinations.contains("/usr/lib/python3.11"))
        #expect(runtime.mountRoots.contains("/usr/bin/python3.11"))
        #expect(runtime.mounts.allSatisfy { !$0.writable })
    }

    @Test func missingPartMeansNoPython() {
        for missing in ["/usr/bin/python3", "/usr/lib/python3.11"] {
            #expect(PythonRuntime.find { $0 == missing ? nil : Self.debian[$0] } == nil, "\(missing)")
        }
    }

    @Test(arguments: ["/usr/bin/python", "/opt/pypy3", "/usr/bin/python3.11-dbg", "/usr/bin/python2.7"])
    func interpreterOfAnotherKindIsNotUsed(program: String) {
        #expect(PythonRuntime.find { $0 == "/usr/bin/python3" ? program : $0 } == nil)
    }

    @Test func theTestsMachineHasPython() throws {
        #expect(try #require(PythonRuntime.find()).mounts.count == 4)
    }
}
