import Testing

@testable import Egress

/// An address of this very machine is no other machine, however public it is.
@Suite struct EgressConnectorTests {
    private let own = NetworkAddress(bytes: [8, 8, 4, 4])
    private let other = NetworkAddress(bytes: [9, 9, 9, 9])
    private let ownSix = NetworkAddress(bytes: [0x26, 0x20] + [UInt8](repeating: 0, count: 13) + [1])

    private func refusal(
        _ found: [NetworkAddress], host: String = "example.com", weakening: EgressRule.Weakening? = nil
    ) async throws -> EgressRefusal? {
        let own = [own, ownSix, NetworkAddress(bytes: [127, 0, 0, 1])]
        let connector = EgressConnector(resolver: { _ in found }, own: { own })
        let rule = try EgressRule("\(host):443", weakening: weakening)
        do throws(EgressRefusal) {
            _ = try await connector.addresses(of: try EgressTarget("\(host):443"), under: rule, within: 5_000)
            return nil
        } catch {
            return error
        }
    }

    @Test func nameThatLeadsToThisMachineIsRefused() async throws {
        for found in [[own], [other, own], [ownSix]] {
            let refusal = try #require(await refusal(found))
            #expect(refusal.message.contains("an address of this very machine"), "\(refusal)")
        }
        #expect(try await refusal([other]) == nil)
    }

    @Test func addressOfThisMachineIsRefusedAlsoWhereItIsWritten() async throws {
        #expect(try await refusal([], host: "8.8.4.4")?.message.contains("this very machine") == true)
        #expect(try await refusal([], host: "9.9.9.9") == nil)
    }

    /// Who was given loopback is meant to reach this machine.
    @Test func loopbackThatWasAskedForIsReached() async throws {
        #expect(try await refusal([NetworkAddress(bytes: [127, 0, 0, 1])], weakening: .loopbackOnly) == nil)
    }

    @Test func whereTheOwnAddressesAreUnknownNobodyIsReached() async throws {
        let connector = EgressConnector(
            resolver: { [other] _ in [other] },
            own: { () throws(EgressRefusal) in throw EgressRefusal(.address, "cannot be listed") })
        await #expect(throws: EgressRefusal.self) {
            try await connector.addresses(
                of: try EgressTarget("example.com:443"), under: try EgressRule("example.com:443"), within: 5_000)
        }
    }

    @Test func addressesOfThisMachineAreTheKernels() throws {
        #expect(try NetworkAddress.ofThisMachine().contains(NetworkAddress(bytes: [127, 0, 0, 1])))
    }
}
