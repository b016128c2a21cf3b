import Foundation
import Glibc
import Synchronization
import Testing

@testable import Egress

/// Real sockets: a proxy, a server and a client on loopback, which the rule's weakening allows.
@Suite struct EgressProxyTests {
    private let server: EchoServer
    private let denials = Denials()

    init() throws { server = try EchoServer(greeting: "hello from the server\n") }

    final class Denials: Sendable {
        private let list = Mutex<[EgressProxy.Denial]>([])
        func add(_ denial: EgressProxy.Denial) { list.withLock { $0.append(denial) } }
        var all: [EgressProxy.Denial] { list.withLock { $0 } }
    }

    private func loopback(_ host: String) -> @Sendable (String) -> [NetworkAddress] {
        { name in name == host ? [NetworkAddress(bytes: [127, 0, 0, 1])] : [] }
    }

    private func start(
        allow: [EgressRule], quota: EgressQuota = .patient, resolver: EgressConnector.Resolver? = nil
    ) async throws -> (proxy: EgressProxy, port: UInt16) {
        let (descriptor, port) = try Loopback.listener()
        let denials = denials
        // A clock that stands: one minute, however long the test takes.
        let instant = ContinuousClock.now
        let settings = EgressProxy.Settings(
            allow: EgressAllowList(allow), meter: EgressMeter(plugin: "sample", quota: quota, now: { instant }),
            connector: EgressConnector(resolver: resolver ?? loopback("allowed.example.com")),
            remedy: { "grant net.connect \($0)" }, denied: { denials.add($0) })
        return (try await EgressProxy.serve(listener: descriptor, settings), port)
    }

    private func rule(port: UInt16) throws -> EgressRule {
        try EgressRule("allowed.example.com:\(port)", weakening: .loopbackOnly)
    }

    /// Sends a head and returns everything that comes back.
    private func ask(_ port: UInt16, _ text: String) async throws -> String {
        let client = try Client(port: port)
        client.say(text)
        return await client.readToEnd()
    }

    private func connect(_ target: String) -> String { "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n" }

    @Test func tunnelCarriesBytesBothWaysAndEnds() async throws {
        let (proxy, port) = try await start(allow: [try rule(port: server.port)])
        let client = try Client(port: port)
        client.say(connect("Allowed.Example.com.:\(server.port)"))
        let opening = await client.read(until: "server\n")
        #expect(opening == "HTTP/1.1 200 OK\r\n\r\nhello from the server\n")
        client.say("ping")
        #expect(await client.read(until: "ping") == "ping")
        client.say("last words")
        client.finishWriting()
        #expect(await client.readToEnd() == "last words")
        #expect(denials.all.isEmpty)
        await proxy.shutDown()
    }

    @Test func manyBytesArriveWhole() async throws {
        let (proxy, port) = try await start(allow: [try rule(port: server.port)])
        let client = try Client(port: port)
        client.say(connect("allowed.example.com:\(server.port)"))
        _ = await client.read(until: "server\n")
        let length = 8 << 20
        let descriptor = client.descriptor
        Thread.detachNewThread {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 % 251) }
            var sent = 0
            while sent < length {
                let count = bytes[sent...].withUnsafeBytes {
                    send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                sent += count
            }
            shutdown(descriptor, Int32(SHUT_WR))
        }
        let isWhole = await onAThread {
            var (received, isWhole) = (0, true)
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return isWhole && received == length }
                for index in 0..<count where bytes[index] != UInt8(truncatingIfNeeded: (received + index) % 251) {
                    isWhole = false
                }
                received += count
            }
        }
        #expect(isWhole)
        await proxy.shutDown()
    }

    @Test func refusalNamesTheTargetAndWhatWouldAllowIt() async throws {
        let (proxy, port) = try await start(allow: [try rule(port: server.port)])
        let answer = try await ask(port, connect("evil.example.com:443"))
        let reason =
            "nexus: evil.example.com:443 is not allowed; allowed: allowed.example.com:\(server.port); "
            + "grant net.connect evil.example.com:443"
        #expect(answer.hasPrefix("HTTP/1.1 403 \(reason)\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n\(reason)\n"))
        #expect(denials.all.map(\.target) == ["evil.example.com:443"])
        #expect(denials.all.first?.refusal.rule == .notAllowed)
        await proxy.shutDown()
    }

    @Test func connectToAPortThatWasNotDeclaredIsRefused() async throws {
        let other = try EchoServer(greeting: "SSH-2.0-other\r\n")
        let (proxy, port) = try await start(allow: [try rule(port: server.port)])
        #expect(try await ask(port, connect("allowed.example.com:\(other.port)")).hasPrefix("HTTP/1.1 403 "))
        #expect(other.connections == 0)
        await proxy.shutDown()
    }

    @Test func emptyAllowListConnectsToNothing() async throws {
        let (proxy, port) = try await start(allow: [])
        for target in ["allowed.example.com:\(server.port)", "127.0.0.1:\(server.port)", "localhost:\(server.port)"] {
            #expect(try await ask(port, connect(target)).hasPrefix("HTTP/1.1 403 "))
        }
        #expect(server.connections == 0)
        await proxy.shutDown()
    }

    @Test func nameThatLeadsToLoopbackIsRefusedWithoutTheWeakening() async throws {
        let (proxy, port) = try await start(allow: [try EgressRule("allowed.example.com:\(server.port)")])
        #expect(
            try await ask(port, connect("allowed.example.com:\(server.port)"))
                .contains("allowed.example.com is 127.0.0.1, a loopback address of this host"))
        #expect(server.connections == 0)
        await proxy.shutDown()
    }

    /// A name server that gives one answer to whoever checks and another to whoever connects.
    private func turncoat(_ answers: [[UInt8]], _ asked: Asked) -> EgressConnector.Resolver {
        { _ in [NetworkAddress(bytes: answers[min(asked.next(), answers.count - 1)])] }
    }

    final class Asked: Sendable {
        private let count = Mutex(0)
        var times: Int { count.withLock { $0 } }
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count - 1
            }
        }
    }

    @Test func rebindingBetweenCheckAndConnectLeadsToTheCheckedAddress() async throws {
        let asked = Asked()
        let (proxy, port) = try await start(
            allow: [try rule(port: server.port)], resolver: turncoat([[127, 0, 0, 1], [169, 254, 169, 254]], asked))
        let client = try Client(port: port)
        client.say(connect("allowed.example.com:\(server.port)"))
        #expect(await client.read(until: "server\n").hasSuffix("hello from the server\n"))
        #expect(asked.times == 1)
        await proxy.shutDown()
    }

    @Test func rebindingToALaterGoodAnswerDoesNotHelp() async throws {
        let asked = Asked()
        let (proxy, port) = try await start(
            allow: [try rule(port: server.port)], resolver: turncoat([[169, 254, 169, 254], [127, 0, 0, 1]], asked))
        #expect(try await ask(port, connect("allowed.example.com:\(server.port)")).contains("cloud metadata"))
        #expect(asked.times == 1 && server.connections == 0)
        await proxy.shutDown()
    }

    @Test func methodsOtherThanConnectGetASentence() async throws {
        let (proxy, port) = try await start(allow: [try rule(port: server.port)])
        let answer = try await ask(
            port, "GET http://allowed.example.com/ HTTP/1.1\r\nHost: allowed.example.com\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 405 nexus: this proxy answers CONNECT only, not GET; use https\r\n"))
        #expect(answer.contains("\r\nAllow: CONNECT\r\n"))
        await proxy.shutDown()
    }

    @Test func bytesBehindTheHeadReachNobody() async throws {
        let (proxy, port) = try await start(allow: [try rule(port: server.port)])
        let smuggled = connect("allowed.example.com:\(server.port)") + "GET / HTTP/1.1\r\n\r\n"
        #expect(try await ask(port, smuggled).hasPrefix("HTTP/1.1 400 "))
        #expect(server.connections == 0)
        await proxy.shutDown()
    }

    @Test func quotaOfConnectionsIsNamedWithItsValue() async throws {
        var quota = EgressQuota.patient
        quota.connections = 1
        let (proxy, port) = try await start(allow: [try rule(port: server.port)], quota: quota)
        let first = try Client(port: port)
        first.say(connect("allowed.example.com:\(server.port)"))
        #expect(await first.read(until: "server\n").hasPrefix("HTTP/1.1 200 "))
        #expect(
            try await ask(port, connect("allowed.example.com:\(server.port)"))
                .hasPrefix("HTTP/1.1 429 nexus: sample has 1 connections open"))
        first.finishWriting()
        #expect(await first.readToEnd().isEmpty)
        // The place is free again once the first has closed.
        var answer = ""
        for _ in 0..<200 where !answer.hasPrefix("HTTP/1.1 200 ") {
            let again = try Client(port: port)
            again.say(connect("allowed.example.com:\(server.port)"))
            answer = await again.read(until: "\n")
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        await proxy.shutDown()
    }

    @Test func whoHangsUpWhileItsNameIsLookedUpKeepsItsPlaceUntilThatIsOver() async throws {
        var quota = EgressQuota.patient
        quota.connections = 1
        let (asked, answer) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let (proxy, port) = try await start(allow: [try rule(port: server.port)], quota: quota) { _ in
            asked.signal()
            answer.wait()
            return [NetworkAddress(bytes: [127, 0, 0, 1])]
        }
        var early: Client? = try Client(port: port)
        early?.say(connect("allowed.example.com:\(server.port)"))
        await Task.detached { asked.waitUntilSignalled() }.value
        early = nil
        #expect(try await ask(port, connect("allowed.example.com:\(server.port)")).hasPrefix("HTTP/1.1 429 "))
        for _ in 0..<300 { answer.signal() }
        // Its place is free once the look-up is over.
        var line = ""
        for _ in 0..<200 where !line.hasPrefix("HTTP/1.1 200 ") {
            let again = try Client(port: port)
            again.say(connect("allowed.example.com:\(server.port)"))
            line = await again.read(until: "\n")
        }
        #expect(line.hasPrefix("HTTP/1.1 200 "))
        await proxy.shutDown()
    }

    @Test func quotaOfBytesEndsTheTunnel() async throws {
        var quota = EgressQuota.patient
        quota.bytesPerMinute = 1_000
        let (proxy, port) = try await start(allow: [try rule(port: server.port)], quota: quota)
        let client = try Client(port: port)
        client.say(connect("allowed.example.com:\(server.port)"))
        _ = await client.read(until: "server\n")
        client.say(String(repeating: "x", count: 2_000))
        #expect(await client.readToEnd().utf8.count < 2_000)
        #expect(denials.all.map(\.refusal.rule) == [.quota])
        #expect(denials.all.first?.refusal.message.contains("1000 bytes of this minute") == true)
        #expect(try await ask(port, connect("allowed.example.com:\(server.port)")).hasPrefix("HTTP/1.1 429 "))
        await proxy.shutDown()
    }

    @Test func silentClientsTakeABoundedNumberOfTheHostsDescriptors() async throws {
        var quota = EgressQuota.patient
        quota.connections = 2
        let (proxy, port) = try await start(allow: [], quota: quota)
        let clients = try (0..<12).map { _ in try Client(port: port) }
        // Six are kept and wait, whichever; the others are closed without a word.
        var kept = clients
        while kept.count > 6 {
            kept.removeAll { $0.hasEnded }
            try await Task.sleep(for: .milliseconds(5))
        }
        for client in kept { client.say(connect("a.example:443")) }
        for client in kept { #expect(await client.readToEnd().hasPrefix("HTTP/1.1 403 ")) }
        #expect(kept.count == 6)
        await proxy.shutDown()
    }

    @Test func silentClientIsToldThatItsHeadIsLate() async throws {
        var quota = EgressQuota.patient
        quota.headMilliseconds = 50
        let (proxy, port) = try await start(allow: [], quota: quota)
        let client = try Client(port: port)
        client.say("CONNECT ")
        #expect(await client.readToEnd().hasPrefix("HTTP/1.1 408 nexus: the head did not arrive within 50 ms"))
        await proxy.shutDown()
    }

    @Test func idleTunnelIsClosed() async throws {
        var quota = EgressQuota.patient
        quota.idleMilliseconds = 100
        let (proxy, port) = try await start(allow: [try rule(port: server.port)], quota: quota)
        let client = try Client(port: port)
        client.say(connect("allowed.example.com:\(server.port)"))
        // Idle at once on a busy machine, so the greeting may be missing; that it ends is the point.
        #expect(await client.readToEnd().hasPrefix("HTTP/1.1 200 OK\r\n\r\n"))
        await proxy.shutDown()
    }

    @Test func nobodyThereIsABadGateway() async throws {
        let (descriptor, closed) = try Loopback.listener()
        close(descriptor)
        let (proxy, port) = try await start(allow: [try rule(port: closed)])
        let answer = try await ask(port, connect("allowed.example.com:\(closed)"))
        #expect(answer.hasPrefix("HTTP/1.1 502 nexus: allowed.example.com:\(closed) could not be reached: errno 111"))
        await proxy.shutDown()
    }

    @Test func shuttingDownClosesEveryTunnelAndTheListener() async throws {
        let (proxy, port) = try await start(allow: [try rule(port: server.port)])
        let client = try Client(port: port)
        client.say(connect("allowed.example.com:\(server.port)"))
        _ = await client.read(until: "server\n")
        await proxy.shutDown()
        #expect(await client.readToEnd().isEmpty)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        #expect(Loopback.withAddress(port: port) { Glibc.connect(descriptor, $0, $1) } == -1 && errno == ECONNREFUSED)
    }
}

extension EgressQuota {
    /// For tests of anything but time: a busy machine changes nothing.
    static var patient: EgressQuota {
        var quota = EgressQuota.standard
        quota.connectMilliseconds = 300_000
        quota.headMilliseconds = 300_000
        return quota
    }
}

extension DispatchSemaphore {
    /// For tasks, which may not wait in their own body.
    fileprivate func waitUntilSignalled() { wait() }
}
