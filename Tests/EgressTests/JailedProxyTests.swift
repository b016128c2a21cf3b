import Foundation
import Glibc
import Sandbox
import Testing

@testable import Egress

/// The proxy where it is used: real programs of this machine in a jail with a proxy socket, against real servers.
@Suite struct JailedProxyTests {
    private let server: EchoServer

    init() throws { server = try EchoServer(greeting: "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nworld\n") }

    private static func helper() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let path = ProcessInfo.processInfo.environment["NEXUS_JAIL"] ?? "\(root)/.build/debug/nexus-jail"
        try #require(access(path, X_OK) == 0, "nexus-jail is not at \(path): build it, or set NEXUS_JAIL")
        return path
    }

    private func rules(_ hosts: String...) throws -> EgressAllowList {
        EgressAllowList(
            try hosts.map { try EgressRule("\($0):\(server.port)", weakening: .loopbackOnly) })
    }

    /// Runs a shell script in a jail and returns what it printed and its status.
    private func run(_ script: String, allow: EgressAllowList?) async throws -> (output: String, exit: JailExit) {
        var template = Array("/tmp/nexus-egress-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder, 0o777)
        let out = JailMount(source: folder, destination: "/out", weakening: .writableMount)
        let egress = allow.map { allow in
            SandboxEgress { socket in
                let settings = EgressProxy.Settings(
                    allow: allow, meter: EgressMeter(plugin: "the program", quota: .patient),
                    connector: EgressConnector {
                        $0.hasSuffix(".example") ? [NetworkAddress(bytes: [127, 0, 0, 1])] : []
                    },
                    remedy: { "--allow-net \($0) would allow it" })
                _ = try await EgressProxy.serve(listener: socket, settings)
            }
        }
        var options = SandboxRun.Options()
        options.binds = [out]
        let command = ["/bin/bash", "-c", "exec >/out/log 2>&1; \(script)"]
        let outcome = try await SandboxRun.run(options, command: command, egress: egress, helper: try Self.helper())
        guard case .ended(let end) = outcome else { throw EndedOtherwise(outcome: outcome) }
        return ((try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "", end.exit)
    }

    private struct EndedOtherwise: Error { let outcome: SandboxRun.Outcome }

    private var curl: String { "curl --silent --show-error --max-time 300" }

    @Test func curlReachesWhatIsAllowedAndNothingElse() async throws {
        let allowed = try await run(
            "\(curl) --proxytunnel http://good.example:\(server.port)/", allow: try rules("good.example"))
        #expect(allowed.output == "world\n" && allowed.exit == .exited(code: 0))
        let before = server.connections
        let refused = try await run(
            "\(curl) --verbose --proxytunnel http://evil.example:\(server.port)/", allow: try rules("good.example"))
        #expect(refused.exit == .exited(code: 56))
        let target = "evil.example:\(server.port)"
        #expect(
            refused.output.contains(
                "HTTP/1.1 403 nexus: \(target) is not allowed; allowed: good.example:\(server.port); "
                    + "--allow-net \(target) would allow it"))
        #expect(server.connections == before)
    }

    @Test func httpsGoesThroughTheProxyByTheEnvironmentAlone() async throws {
        // The server speaks no TLS: that curl's hello reached it and came back is seen in its complaint.
        let answer = try await run("\(curl) https://good.example:\(server.port)/", allow: try rules("good.example"))
        #expect(answer.exit == .exited(code: 35))
        #expect(server.connections == 1)
    }

    @Test func plainHTTPGetsASentence() async throws {
        let answer = try await run("\(curl) http://good.example:\(server.port)/", allow: try rules("good.example"))
        #expect(answer.output == "nexus: this proxy answers CONNECT only, not GET; use https\n")
        #expect(server.connections == 0)
    }

    /// Around the proxy there is nothing: no route, no other port.
    @Test(arguments: [
        "--noproxy '*' http://127.0.0.1:PORT/", "--noproxy '*' http://93.184.215.14:443/",
        "--noproxy '*' http://good.example:PORT/", "--noproxy '*' 'http://[::1]:PORT/'",
        "--noproxy '*' http://169.254.169.254/latest/",
    ])
    func goingAroundTheProxyReachesNothing(arguments: String) async throws {
        let rest = arguments.replacingOccurrences(of: "PORT", with: "\(server.port)")
        let answer = try await run("\(curl) \(rest)", allow: try rules("good.example"))
        #expect([.exited(code: 6), .exited(code: 7)].contains(answer.exit), "\(answer)")
        #expect(server.connections == 0)
    }

    @Test func withoutAProxyThereIsNoSocketOfAnyInternetFamily() async throws {
        let program = """
            import socket
            for family in (socket.AF_INET, socket.AF_INET6):
                try: socket.socket(family, socket.SOCK_STREAM); print('made', family)
                except OSError: pass
            """
        #expect(try await run("python3 -c \"\(program)\"", allow: nil).output == "")
    }

    @Test func onlyTheProxysPortIsConnectedTo() async throws {
        let program = """
            import socket
            def try_one(address, port, name):
                one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                one.settimeout(60)
                try:
                    one.connect((address, port))
                    print('reached', name)
                except OSError as error: print(error.errno, name)
            for port in (3128, 3127, 22, \(server.port)):
                try_one('127.0.0.1', port, port)
            for address in ('93.184.215.14', '10.0.0.1', '169.254.169.254'):
                try_one(address, 3128, address)
            """
        let answer = try await run("python3 - <<'END'\n\(program)\nEND", allow: try rules("good.example"))
        #expect(
            answer.output == "reached 3128\n13 3127\n13 22\n13 \(server.port)\n"
                + "101 93.184.215.14\n101 10.0.0.1\n101 169.254.169.254\n")
    }

    /// Both jails have a proxy at the same address, and each meets its own.
    @Test func siblingCannotUseAnothersProxy() async throws {
        let script = "\(curl) --verbose --proxytunnel http://HOST:\(server.port)/"
        async let first = run(
            script.replacingOccurrences(of: "HOST", with: "theirs.example"), allow: try rules("ours.example"))
        async let second = run(
            script.replacingOccurrences(of: "HOST", with: "theirs.example"), allow: try rules("theirs.example"))
        let (ours, theirs) = (try await first, try await second)
        #expect(ours.exit == .exited(code: 56) && ours.output.contains("allowed: ours.example:\(server.port)"))
        #expect(theirs.exit == .exited(code: 0) && theirs.output.contains("world"))
        // Nor is it there for anybody on the host.
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(probe) }
        #expect(Loopback.withAddress(port: SandboxEgress.port) { connect(probe, $0, $1) } == -1)
    }

    @Test func listenerIsNotAmongTheProgramsDescriptors() async throws {
        let answer = try await run("ls -l /proc/self/fd", allow: try rules("good.example"))
        #expect(answer.exit == .exited(code: 0))
        #expect(!answer.output.contains("socket:"), "\(answer.output)")
    }

    @Test func strictJailsHaveNoProxy() async throws {
        let error = await #expect(throws: JailError.self) {
            var options = SandboxRun.Options()
            options.profile = "strict"
            _ = try await SandboxRun.run(
                options, command: ["true"], egress: SandboxEgress { _ in }, helper: try Self.helper())
        }
        #expect(error?.message.contains("profile strict has no sockets for a proxy") == true)
    }
}
