import Foundation
import Glibc
import JSONBytes
import Testing

/// `net.connect` through the real host: a plugin in its jail, a TCP server of this machine, and the weakening that
/// leads there.
@Suite(.serialized) struct NetConnectTests {
    /// Says back what it hears, to one after the other, until nobody holds it.
    private final class EchoServer: Sendable {
        let port: UInt16
        private let descriptor: Int32

        init() throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let listening = descriptor
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listening, $0, length) == 0 && listen(listening, 16) == 0
                        && getsockname(listening, $0, &length) == 0
                }
            }
            try #require(isBound)
            port = UInt16(bigEndian: address.sin_port)
            Thread.detachNewThread {
                while true {
                    let client = accept(listening, nil, nil)
                    guard client >= 0 else { return }
                    Thread.detachNewThread {
                        var bytes = [UInt8](repeating: 0, count: 65_536)
                        while true {
                            let count = recv(client, &bytes, bytes.count, 0)
                            guard count > 0, send(client, bytes, count, Int32(MSG_NOSIGNAL)) == count else { break }
                        }
                        close(client)
                    }
                }
            }
        }

        deinit {
            shutdown(descriptor, Int32(SHUT_RDWR))
            close(descriptor)
        }
    }

    private static let place = "db.example.com:5432"

    private func connect(_ host: TestHost, _ place: String = place, text: String = "hello") throws -> Program.Outcome {
        let parts = place.split(separator: ":")
        return try host.call("net_ask", #"{"host":"\#(parts[0])","port":\#(parts[1]),"text":"\#(text)"}"#)
    }

    @Test(arguments: Person.available)
    func pluginSpeaksToADeclaredServerAndToNoOther(person: Person) throws {
        let server = try EchoServer()
        let host = try TestHost(person)
        try host.install("net")
        let seccomp = try host.nexus("plugin", "start", "net")
        #expect(seccomp.status == 0, "\(seccomp)")
        let layer = try host.state(of: "net")["layers"]?.arrayValue?.first { $0["layer"] == "seccomp" }
        #expect(layer?["detail"]?.stringValue?.hasPrefix("profile python-tcp") == true)

        let led = try host.nexus(
            "plugin", "endpoint", "net", "\(Self.place)=127.0.0.1:\(server.port)", "--dev-loopback")
        #expect(led.status == 0 && led.output.contains("WEAKENED: \(Self.place) leads to 127.0.0.1:\(server.port)"))
        let answer = try connect(host).json()
        #expect(answer["heard"] == "hello" && answer["connected"] == .string(Self.place))
        #expect(
            answer["attacks"]
                == [
                    "connect": "EPERM", "listen": "EPERM", "fast-open": "EPERM", "own-address": "ENOSYS",
                    "interfaces": "EPERM", "option": "EPERM",
                ])
        // The one that an earlier call left open is still the plugin's.
        #expect(try host.call("net_again", #"{"text":"later"}"#).json()["heard"] == "later")

        let refused = try connect(host, "evil.example.com:22")
        #expect(refused.status == 1 && refused.errors.contains("allowed: \(Self.place)"), "\(refused)")
        let denied = try host.audit().last { $0["kind"] == "denied" && $0["service"] == "net.connect" }
        #expect(denied?["what"] == "net.connect evil.example.com:22")
        #expect(denied?["rule"] == "permissions.net.connect")
        #expect(try host.nexus("plugin", "logs", "net").output.contains("denied net.connect evil.example.com:22"))

        // Without the weakening the same name leads nowhere inside.
        try host.nexus("plugin", "endpoint", "net", "\(Self.place)=127.0.0.1:\(server.port)")
        let inner = try connect(host)
        #expect(inner.status == 1 && inner.errors.contains("a loopback address of this host"), "\(inner)")
    }

    /// A hundred connections, more than a minute's quota: the host keeps a descriptor of none.
    @Test func hostKeepsNoDescriptorAndTheQuotaIsNamed() throws {
        let server = try EchoServer()
        let host = try TestHost()
        try host.install("net")
        try host.nexus("plugin", "endpoint", "net", "\(Self.place)=127.0.0.1:\(server.port)", "--dev-loopback")
        #expect(try connect(host).status == 0)
        let before = try descriptors(of: host)
        let many = try host.call("net_many", #"{"host":"db.example.com","port":5432,"times":100}"#).json()
        #expect(many["made"] == 59 && many["refused"] == 41)
        #expect(many["why"]?.stringValue?.contains("has begun 60 connections in this minute") == true)
        let isBack = try eventually { try descriptors(of: host) <= before }
        #expect(isBack)
    }

    private func descriptors(of host: TestHost) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(host.processID)/fd").count
    }
}
