import Egress
import JSONBytes
import PluginABI
import Synchronization
import Testing

@testable import HostCore

/// What is decided before a connection is made.
@Suite struct HTTPFetchServiceTests {
    let service = HTTPFetchService()

    private func perform(
        _ json: JSONValue, in context: CallContext
    ) async -> ABIError? {
        do {
            _ = try await service.perform(
                Message.HostCall(service: "http.fetch", parent: 1, content: Message.Payload(json)), in: context)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["https://127.0.0.1:1", "https://10.0.0.1:1", "https://169.254.169.254", "https://0.0.0.0:1"])
    func overrideWithoutTheWeakeningReachesNoInnerAddress(text: String) async throws {
        let origin = try #require(Origin(text))
        let override = EndpointOverride(origin: origin, authority: nil, weakeningLoopback: false)
        let context = try SamplePlugin.context(endpoints: ["exchange": override])
        let error = await perform(["endpoint": "exchange", "method": "GET", "path": "/api/v3/x"], in: context)
        #expect(error?.code == .permissionDenied)
    }

    @Test func authorityThatIsNoCertificateIsRefusedBeforeAnyConnection() async throws {
        let origin = try #require(Origin("https://127.0.0.1:1"))
        let override = EndpointOverride(origin: origin, authority: "no PEM", weakeningLoopback: true)
        let context = try SamplePlugin.context(endpoints: ["exchange": override])
        let error = await perform(["endpoint": "exchange", "method": "GET", "path": "/api/v3/x"], in: context)
        #expect(error?.message.hasPrefix("the endpoint's authority is not a PEM certificate: ") == true)
    }
}

/// Live, against a server of this machine that the dev-loopback override leads to.
@Suite struct HTTPFetchLiveTests {
    private let server: LocalHTTPS
    private let service: HTTPFetchService

    init() throws {
        server = try LocalHTTPS()
        service = HTTPFetchService()
    }

    private func fetch(
        _ path: String, from service: HTTPFetchService? = nil, within milliseconds: UInt64 = 60_000
    ) async throws -> Result<Message.Payload, ABIError> {
        let context = try SamplePlugin.context(
            endpoints: ["exchange": server.override()], deadline: Clock.unixMilliseconds() + milliseconds)
        let wish: JSONValue = ["endpoint": "exchange", "method": "GET", "path": .string("/api/v3/\(path)")]
        let call = Message.HostCall(service: "http.fetch", parent: 1, content: Message.Payload(wish))
        do throws(ABIError) {
            return .success(try await (service ?? self.service).perform(call, in: context))
        } catch {
            return .failure(error)
        }
    }

    private func requestsSeen() async throws -> String {
        String(decoding: try await fetch("count").get().bytes, as: UTF8.self)
    }

    private func failure(_ result: Result<Message.Payload, ABIError>) -> ABIError? {
        if case .failure(let error) = result { return error }
        return nil
    }

    @Test func redirectToAHostThatIsNotAllowedIsNotFollowed() async throws {
        // Were it followed, the server would be asked a second time.
        let target = "127.0.0.1:\(server.port)/api/v3/bytes/1"
        let answer = try JSONValue(parsing: try await fetch("redirect/here").get().json)
        #expect(answer["status"] == 302)
        #expect(answer["headers"]?["location"] == .string("https://\(target)"))
        #expect(try await requestsSeen() == "1")
        let outside = try JSONValue(parsing: try await fetch("redirect/out").get().json)
        #expect(outside["status"] == 302 && outside["headers"]?["location"] == "https://evil.example/")
    }

    @Test func answerLongerThanTheLimitIsRefusedAndOneAtItIsNot() async throws {
        let limit = HostLimits.fetchResponseBytes
        #expect(try await fetch("bytes/\(limit)").get().bytes.count == limit)
        let refused = failure(try await fetch("bytes/\(limit + 1)"))
        #expect(refused?.code == .unavailable)
        #expect(refused?.message == "the answer of https://127.0.0.1:\(server.port) is longer than \(limit) bytes")
        #expect(try await fetch("bytes/3").get().bytes.count == 3, "the service goes on")
    }

    @Test func answerAfterTheDeadlineIsNotWaitedFor() async throws {
        let late = failure(try await fetch("wait", within: 300))
        #expect(late?.code == .deadlineExceeded, "\(String(describing: late))")
        _ = try await fetch("go")
    }

    @Test func requestsInFlightAreCountedAndTheRefusalNamesTheQuota() async throws {
        var quota = EgressQuota.fetches
        quota.connections = 2
        let service = HTTPFetchService(connector: EgressConnector(), meters: EgressMeters(quota: quota))
        async let first = fetch("wait", from: service)
        async let second = fetch("wait", from: service)
        while try await requestsSeen() != "2" {}
        #expect(
            failure(try await fetch("bytes/1", from: service))
                == ABIError(
                    .unavailable,
                    "http.fetch refused: sample has 2 connections open, as many as it may; close one or try later"))
        _ = try await fetch("go")
        #expect(try await first.get().bytes.count == 4)
        #expect(try await second.get().bytes.count == 4)
        #expect(try await fetch("bytes/1", from: service).get().bytes.count == 1, "their places are free again")
        await service.shutDown()
    }

    @Test func bytesOfAMinuteAreCountedAndTheRefusalNamesTheQuota() async throws {
        var quota = EgressQuota.fetches
        quota.bytesPerMinute = 1_000
        let service = HTTPFetchService(connector: EgressConnector(), meters: EgressMeters(quota: quota))
        #expect(try await fetch("bytes/600", from: service).get().bytes.count == 600)
        let used = ABIError(
            .unavailable,
            "http.fetch refused: sample has used its 1000 bytes of this minute; try again in a minute")
        #expect(failure(try await fetch("bytes/600", from: service)) == used, "it ends where the quota does")
        #expect(failure(try await fetch("bytes/1", from: service)) == used)
        await service.shutDown()
    }

    /// The name is asked for once; whoever asked again would be sent to a metadata service.
    @Test func rebindingBetweenCheckAndConnectLeadsToTheCheckedAddress() async throws {
        let asked = Mutex(0)
        let connector = EgressConnector { _ in
            let isFirst = asked.withLock { count in
                count += 1
                return count == 1
            }
            return [NetworkAddress(bytes: isFirst ? [127, 0, 0, 1] : [169, 254, 169, 254])]
        }
        let service = HTTPFetchService(connector: connector, meters: EgressMeters())
        var override = try server.override()
        override.origin = try #require(Origin("https://rebind.example:\(server.port)"))
        let context = try SamplePlugin.context(endpoints: ["exchange": override])
        let wish: JSONValue = ["endpoint": "exchange", "method": "GET", "path": "/api/v3/bytes/1"]
        let call = Message.HostCall(service: "http.fetch", parent: 1, content: Message.Payload(wish))
        #expect(try await service.perform(call, in: context).bytes == Array("x".utf8))
        #expect(asked.withLock { $0 } == 1)
        await service.shutDown()
    }
}
