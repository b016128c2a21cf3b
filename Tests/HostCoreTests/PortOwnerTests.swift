import Foundation
import Testing

@testable import HostCore

@Suite struct PortOwnerTests {
    @Test func aListenerIsNamedByProcessAndProgram() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(bound)
        let text = PortOwner.describe(port: Int(UInt16(bigEndian: address.sin_port)))
        #expect(text.hasPrefix("process \(getpid()) ("))
    }

    @Test(arguments: [0, -1, 65_536, 1_048_576, Int.max, Int.min])
    func aPortOutsideTheRangeIsNobodys(port: Int) {
        #expect(PortOwner.describe(port: port) == "another process")
    }
}
