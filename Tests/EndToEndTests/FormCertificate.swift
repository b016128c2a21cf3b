import Foundation
import JSONBytes

/// Has a host serve its form for credentials as `nexus.test`, with a certificate; the host is started again for it.
struct FormCertificate {
    let port: Int
    /// For `curl --resolve`.
    var resolved: String { "nexus.test:\(port):127.0.0.1" }

    init(for host: TestHost) throws {
        let folder = "/tmp/nexus-e2e-form-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (key, certificate) = ("\(folder)/key.pem", "\(folder)/cert.pem")
        let made = try Program.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=nexus.test", "-addext",
            "subjectAltName=DNS:nexus.test",
        ])
        guard made.status == 0 else { throw Failure("no certificate: \(made)") }
        _ = try Program.run(["/bin/chmod", "-R", "a+rX", folder])
        port = try RawConnection.freePort()
        let settings = try JSONValue(
            parsing: #"{"secretForm":{"address":"127.0.0.1","port":\#(port),"names":["nexus.test"],"#
                + #""certificate":"\#(certificate)","key":"\#(key)"}}"#)
        try host.nexus("down")
        let file = "\(host.home)/nexus.json"
        let written = try Program.run(host.person.prefix + ["/usr/bin/tee", file], input: settings.text)
        guard written.status == 0, chmod(file, 0o644) == 0 else { throw Failure("no nexus.json: \(written)") }
        try host.up()
    }
}
