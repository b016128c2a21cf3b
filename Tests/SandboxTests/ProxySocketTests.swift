import CJail
import Foundation
import Glibc
import Testing

@testable import Sandbox

/// JAIL_LISTENER: one listening socket on the jail's own loopback, in the hands of the host alone.
@Suite struct ProxySocketTests {
    private static let port: UInt16 = 4_128

    private static func policy(_ program: String, port: UInt16 = port) -> JailPolicy {
        var policy = SystemPolicy.program(["/usr/bin/python3", "-c", "import socket\n\(program)"])
        policy.open(port: port, weakening: .proxySocket)
        return policy
    }

    /// Memory of datagrams is not counted to a jail everywhere, and no proxy needs them.
    @Test func onlyStreamsOfTheInternetFamilyAreMade() throws {
        let filter = try FilterCompiler.filter(profile: "compat-proxy")
        let evaluator = try #require(FilterEvaluator(bytes: filter.bytes))
        let number = UInt32(cjail_syscall_number("socket"))
        func answer(_ family: UInt64, _ type: UInt64) -> FilterAction? {
            evaluator.answer(
                CallData(
                    number: number, architecture: FilterProgram.architecture, arguments: [family, type, 0, 0, 0, 0]))
        }
        for flags: UInt64 in [0, 0o4000, 0o2000000, 0o2004000] {
            #expect(answer(2, 1 | flags) == .allow)
            #expect(answer(1, 2 | flags) == .allow)
            for type: UInt64 in [2, 3, 4, 5, 6, 10] { #expect(answer(2, type | flags) != .allow, "\(type)") }
            for family: UInt64 in [0, 10, 16, 17, 38, 40] { #expect(answer(family, 1 | flags) != .allow) }
        }
        #expect(answer(2 | 1 << 32, 1 | 1 << 32) == .allow, "the kernel takes 32 bits")
    }

    @Test(arguments: Person.available)
    func whoConnectsInTheJailIsAcceptedByTheHost(person: Person) async throws {
        let launcher = try person.launcher(mountRoots: ["/usr"])
        let jail = try await launcher.spawn(
            Self.policy(
                """
                one = socket.create_connection(('127.0.0.1', \(Self.port)))
                one.sendall(b'from the jail')
                one.recv(1)
                """), descriptors: JailDescriptors())
        let listener = try #require(jail.takeProxySocket())
        #expect(jail.takeProxySocket() == nil, "it is handed out once")
        defer { close(listener) }
        #expect(fcntl(listener, F_GETFD) & FD_CLOEXEC != 0)
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        try #require(poll(&waiting, 1, 10_000) == 1)
        let client = accept(listener, nil, nil)
        try #require(client >= 0)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(client, &bytes, bytes.count, 0)
        #expect(String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self) == "from the jail")
        close(client)
        #expect(await jail.exited() == .exited(code: 0))
        #expect(jail.report["proxy"]?.detail == "127.0.0.1:\(Self.port) in the jail, accepted by the host")
        launcher.close()
    }

    @Test(arguments: Person.available)
    func socketThatNobodyTookIsClosedWithTheJail(person: Person) async throws {
        let launcher = try person.launcher(mountRoots: ["/usr"])
        let before = try #require(openDescriptors())
        do {
            let jail = try await launcher.spawn(Self.policy("pass"), descriptors: JailDescriptors())
            #expect(await jail.exited() == .exited(code: 0))
        }
        #expect(await eventually { (openDescriptors() ?? .max) <= before })
        launcher.close()
    }

    /// Sockets of this process that listen on the port; other tests open and close other descriptors meanwhile.
    private func openDescriptors() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return (0..<Int32(min(limit.rlim_cur, 4_096))).count { descriptor in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let named = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            return named == 0 && address.sin_port == Self.port.bigEndian
        }
    }

    @Test(arguments: Person.available)
    func othersThanTheProxysPortStayClosed(person: Person) async throws {
        let launcher = try person.launcher(mountRoots: ["/usr"])
        let capture = try Capture()
        let jail = try await launcher.spawn(
            Self.policy(
                """
                import errno
                def attempt(name, act):
                    try: act(); print(name, 'done')
                    except OSError as error: print(name, errno.errorcode[error.errno])
                def tcp(): return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                attempt('connect', lambda: tcp().connect(('127.0.0.1', \(Self.port + 1))))
                attempt('bind', lambda: tcp().bind(('127.0.0.1', 5000)))
                attempt('same', lambda: tcp().bind(('127.0.0.1', \(Self.port))))
                attempt('inet6', lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
                attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
                attempt('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
                attempt('vsock', lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))
                attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
                """), descriptors: JailDescriptors(standardOutput: capture.writing))
        #expect(await jail.exited() == .exited(code: 0))
        let lines = capture.finish().split(separator: "\n")
        #expect(lines.count == 8 && !lines.contains { $0.hasSuffix("done") }, "\(lines)")
        #expect(lines.prefix(3) == ["connect EACCES", "bind EACCES", "same EACCES"], "Landlock")
        launcher.close()
    }

    @Test func planWithoutAProxyHasNeitherLoopbackNorListener() throws {
        let plan = try JailCompiler.compile(
            SystemPolicy.program(["/usr/bin/true"]), host: JailHost(privileged: true, outerUser: 1, outerGroup: 1),
            kernel: KernelSupport.forPlans())
        let lines = plan.description.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(!lines.contains { $0.hasPrefix("listener ") || $0.hasPrefix("landlock-port ") })
    }

    @Test func planGivesLandlockThePortOfTheListener() throws {
        let plan = try JailCompiler.compile(
            Self.policy("pass"), host: JailHost(privileged: true, outerUser: 1, outerGroup: 1),
            kernel: KernelSupport.forPlans())
        let lines = plan.description.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let listener = try #require(lines.firstIndex(of: "listener \(Self.port)"))
        let capabilities = try #require(lines.firstIndex(of: "drop-capabilities"))
        #expect(listener < capabilities)
        #expect(lines.contains("landlock-port \(Self.port) 2"), "connecting alone")
    }

    @Test(arguments: [("strict", 4_128), ("python", 4_128), ("native", 4_128), ("compat", 80), ("compat", 0)])
    func proxyIsForOrdinaryProgramsAndHighPorts(profile: String, port: Int) {
        var policy = Self.policy("pass", port: UInt16(port))
        policy.profile = profile
        #expect(throws: JailError.self) { try PolicyCheck.check(policy) }
    }

    @Test func profileOfTheProxyIsNotChosenByName() {
        let policy = SystemPolicy.program(["/usr/bin/true"], profile: "compat-proxy")
        #expect(throws: JailError.self) { try PolicyCheck.check(policy) }
    }
}
