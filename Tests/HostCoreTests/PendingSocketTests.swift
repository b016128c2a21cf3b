import Egress
import Glibc
import Testing

@testable import HostCore

@Suite struct PendingSocketTests {
    private func connect(
        _ address: [UInt8], port: UInt16, on poller: DescriptorPoller
    ) async -> EgressConnector.Attempt<PassedSocket> {
        await PendingSocket.connect(
            to: NetworkAddress(bytes: address), port: port, milliseconds: 60_000, on: poller)
    }

    @Test func manyAtOnceWaitWithoutAThreadEach() async throws {
        let server = try LocalTCP(backlog: 128)
        let poller = try DescriptorPoller()
        let made = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    if case .connected = await connect([127, 0, 0, 1], port: server.port, on: poller) { return true }
                    return false
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 64)
    }

    @Test func failureIsTheKernelsErrno() async throws {
        let port = try LocalTCP().port
        let poller = try DescriptorPoller()
        for address: [UInt8] in [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]] {
            guard case .failed(let reason) = await connect(address, port: port, on: poller) else {
                Issue.record("something answered")
                continue
            }
            #expect(reason.hasPrefix("errno "), "\(reason)")
        }
    }
}
