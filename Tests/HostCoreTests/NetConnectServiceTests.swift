import Egress
import Glibc
import JSONBytes
import Synchronization
import Testing

@testable import HostCore
@testable import PluginABI

/// Real sockets of this machine, which the dev-loopback override leads to.
@Suite struct NetConnectServiceTests {
    private static let poller = Result { try DescriptorPoller() }
    private let server: LocalTCP

    init() throws { server = try LocalTCP() }

    private func context(
        to address: String? = nil, weakening: Bool = true, within milliseconds: UInt64 = 60_000
    ) throws -> CallContext {
        let origin = try #require(Origin("https://\(address ?? "127.0.0.1:\(server.port)")"))
        var context = try SamplePlugin.context(
            endpoints: [
                "db.example.com:5432": EndpointOverride(
                    origin: origin, authority: nil, weakeningLoopback: weakening)
            ], deadline: Clock.unixMilliseconds() + milliseconds)
        context.plugin.manifest.permissions.netConnect = [
            Permissions.NetConnect(host: "db.example.com", port: 5432, reason: "r")
        ]
        return context
    }

    private func service(
        _ quota: EgressQuota = .connects, resolver: EgressConnector.Resolver? = nil
    ) throws -> NetConnectService {
        var quota = quota
        // Nothing here is decided by how long a busy machine takes to connect.
        quota.connectMilliseconds = 60_000
        return NetConnectService(
            poller: try Self.poller.get(),
            connector: resolver.map { EgressConnector(resolver: $0) } ?? EgressConnector(),
            meters: EgressMeters(quota: quota))
    }

    private func connect(
        _ service: NetConnectService, _ host: String = "db.example.com", port: Int = 5432, in context: CallContext
    ) async -> Result<ServiceAnswer, ServiceFailure> {
        let wish: JSONValue = ["host": .string(host), "port": JSONValue(port)]
        let call = Message.HostCall(service: "net.connect", parent: 1, content: Message.Payload(wish))
        do throws(ServiceFailure) {
            return .success(try await service.answer(call, in: context))
        } catch {
            return .failure(error)
        }
    }

    private func failure(_ result: Result<ServiceAnswer, ServiceFailure>) -> ServiceFailure? {
        if case .failure(let failure) = result { return failure }
        return nil
    }

    @Test(arguments: ["db.example.com", "DB.Example.com."])
    func declaredHostAndPortGetAConnectedBlockingSocket(spelling: String) async throws {
        let answer = try await connect(try service(), spelling, in: try context()).get()
        let connected = try JSONValue(parsing: answer.payload.json)
        #expect(connected == ["connected": "db.example.com:5432"], "as declared, and nothing of the host's own")
        let socket = try #require(answer.socket).descriptor
        let client = try #require(server.accept())
        defer { close(client) }
        #expect(send(client, "hello", 5, Int32(MSG_NOSIGNAL)) == 5)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(recv(socket, &bytes, 8, 0) == 5 && bytes.starts(with: Array("hello".utf8)))
        #expect(fcntl(socket, F_GETFL) & O_NONBLOCK == 0)
        #expect(fcntl(socket, F_GETFD) & FD_CLOEXEC != 0)
        withExtendedLifetime(answer) {}
    }

    @Test(arguments: [
        ("db.example.com", 5433), ("example.com", 5432), ("x.db.example.com", 5432), ("xdb.example.com", 5432),
        ("127.0.0.1", 5432), ("[::1]", 5432), ("169.254.169.254", 5432),
    ])
    func whatIsNotDeclaredIsRefusedWithWhatIs(host: String, port: Int) async throws {
        let refused = failure(await connect(try service(), host, port: port, in: try context()))
        #expect(refused?.error.code == .permissionDenied && refused?.rule == .notAllowed)
        let words = "net.connect refused: \(host):\(port) is not allowed; allowed: db.example.com:5432"
        #expect(refused?.error.message == words)
        #expect(server.accept() == nil)
    }

    @Test(arguments: [
        "db.example.com\0.evil.example", "db.example.com\0", "[db.example.com]", "db.example.com:5432",
        "db..example.com",
        "db.example.com..", " db.example.com", "0x7f000001", "2130706433", "127.1", "0177.0.0.1", "[::1%lo]",
        "[::ffff:127.0.0.1", "dß.example.com", "",
    ])
    func otherSpellingsAreNoNames(host: String) async throws {
        let refused = failure(await connect(try service(), host, in: try context()))
        #expect(refused?.error.code == .permissionDenied && refused?.rule == .name, "\(String(describing: refused))")
    }

    /// One core: what leads to an inner address is refused to each of its users, by the same rule.
    @Test(
        arguments: [
            ([127, 0, 0, 1], EgressRefusal.Rule.loopback), ([10, 0, 0, 1], .address), ([169, 254, 169, 254], .address),
            ([168, 63, 129, 16], .address), ([100, 64, 0, 1], .address), ([192, 168, 1, 1], .address),
            ([0, 0, 0, 0], .address), ([UInt8](repeating: 0, count: 15) + [1], .loopback),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 1], .address),
            ([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1], .address),
            ([0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], .address),
            ([0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], .address),
        ] as [([UInt8], EgressRefusal.Rule)])
    func innerAddressIsRefusedToEveryUserOfTheCore(address: [UInt8], rule: EgressRefusal.Rule) async throws {
        let good = NetworkAddress(bytes: [93, 184, 215, 14])
        for found in [[NetworkAddress(bytes: address)], [good, NetworkAddress(bytes: address)]] {
            let connector = EgressConnector { _ in found }
            let context = try context(to: "inner.example.com:1", weakening: false)
            let refused = failure(await connect(try service(resolver: { _ in found }), in: context))
            #expect(refused?.rule == rule && refused?.error.code == .permissionDenied)

            let fetch = HTTPFetchService(connector: connector, meters: EgressMeters())
            let wish: JSONValue = ["endpoint": "exchange", "method": "GET", "path": "/api/v3/x"]
            let call = Message.HostCall(service: "http.fetch", parent: 1, content: Message.Payload(wish))
            var fetched: ServiceFailure?
            do throws(ServiceFailure) { _ = try await fetch.answer(call, in: context) } catch { fetched = error }
            #expect(fetched?.rule == rule)

            // The proxy asks the same two parts: the list, then the connector.
            let target = try EgressTarget("api.example.com:443")
            let proxied = EgressAllowList([try EgressRule("api.example.com:443")])
            var unmodified: EgressRefusal?
            do throws(EgressRefusal) {
                _ = try await connector.addresses(
                    of: target, under: try proxied.rule(for: target), within: 5_000)
            } catch {
                unmodified = error
            }
            #expect(unmodified?.rule == rule)
        }
    }

    @Test func loopbackIsReachedWithTheWeakeningOnly() async throws {
        let refused = failure(await connect(try service(), in: try context(weakening: false)))
        #expect(refused?.rule == .loopback)
        #expect(
            refused?.error.message
                == "net.connect refused: 127.0.0.1 is 127.0.0.1, a loopback address of this host; "
                + "`nexus plugin endpoint … --dev-loopback` would allow one")
        let global = try context(to: "93.184.215.14:5432")
        #expect(failure(await connect(try service(), in: global))?.rule == .address, "then nothing but loopback")
        #expect(server.accept() == nil)
    }

    @Test func rebindingBetweenCheckAndConnectLeadsToTheCheckedAddress() async throws {
        let asked = Mutex(0)
        let service = try service { _ in
            let isFirst = asked.withLock { count in
                count += 1
                return count == 1
            }
            return [NetworkAddress(bytes: isFirst ? [127, 0, 0, 1] : [169, 254, 169, 254])]
        }
        let answer = try await connect(service, in: try context(to: "rebind.example.com:\(server.port)")).get()
        #expect(answer.socket != nil && asked.withLock { $0 } == 1)
    }

    @Test func closedPortIsUnavailableAndMayBeTriedAgain() async throws {
        let port = try LocalTCP().port
        let refused = failure(await connect(try service(), in: try context(to: "127.0.0.1:\(port)")))
        #expect(refused?.error == ABIError(.unavailable, "127.0.0.1:\(port) could not be reached: errno 111"))
        #expect(refused?.rule == .unreachable && refused?.isDenial == false)
    }

    @Test func connectionsOfAMinuteAreCountedAndTheRefusalNamesTheQuota() async throws {
        var quota = EgressQuota.connects
        quota.connectionsPerMinute = 2
        let instant = ContinuousClock.now
        let meter = EgressMeter(plugin: "sample", quota: quota, now: { instant })
        try meter.open()
        meter.close()
        try meter.open()
        meter.close()
        let third = refusal { () throws(EgressRefusal) in try meter.open() }
        #expect(
            third?.message
                == "sample has begun 2 connections in this minute, as many as it may; keep one open, or try again in "
                + "a minute")
        quota.connectionsPerMinute = 0
        let refused = failure(await connect(try service(quota), in: try context()))
        #expect(refused?.rule == .quota && refused?.isDenial == true && refused?.error.code == .unavailable)
    }

    /// Somebody who does not answer is waited for until the call's deadline; the socket goes then.
    @Test func deadlineOfTheCallEndsAConnectThatNobodyAnswers() async throws {
        let silent = try LocalTCP(backlog: 0)
        let others = try silent.fill()
        defer { for other in others { close(other) } }
        let before = try silent.unanswered()
        let context = try context(to: "127.0.0.1:\(silent.port)", within: 300)
        let late = failure(await connect(try service(), in: context))
        #expect(late?.error.message.contains("could not be reached: no answer within ") == true, "\(late as Any)")
        #expect(try silent.unanswered() == before)
    }

    @Test func cancelledConnectLeavesNoSocketBehind() async throws {
        let silent = try LocalTCP(backlog: 0)
        let others = try silent.fill()
        defer { for other in others { close(other) } }
        let before = try silent.unanswered()
        let (service, context) = (try service(), try context(to: "127.0.0.1:\(silent.port)"))
        let task = Task { await connect(service, in: context) }
        while try silent.unanswered() == before { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        #expect(failure(await task.value)?.error.code == .unavailable)
        #expect(try silent.unanswered() == before)
    }
}
