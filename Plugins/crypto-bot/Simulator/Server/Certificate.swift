import Glibc
import HummingbirdTLS

/// A certificate for loopback, made at each start under an authority that signs this one and no other: the authority's
/// key is deleted before the first connection.
struct Certificate: Sendable {
    let directory: String
    var authority: String { "\(directory)/ca.pem" }
    private var leaf: String { "\(directory)/server.pem" }
    private var leafKey: String { "\(directory)/server.key" }

    private var log: String { "\(directory)/openssl.log" }

    private static let days = "30"
    private static let settings = """
        [req]
        distinguished_name = name
        [name]
        [ca]
        basicConstraints = critical, CA:TRUE, pathlen:0
        keyUsage = critical, keyCertSign, cRLSign
        subjectKeyIdentifier = hash
        [server]
        basicConstraints = critical, CA:FALSE
        keyUsage = critical, digitalSignature
        extendedKeyUsage = serverAuth
        subjectKeyIdentifier = hash
        authorityKeyIdentifier = keyid
        subjectAltName = IP:127.0.0.1, DNS:localhost, DNS:api.binance.com

        """

    /// Makes the files in `directory` with the program `openssl`. Everything is readable by its owner alone.
    init(in directory: String) throws {
        self.directory = directory
        let settings = "\(directory)/openssl.cnf"
        let request = "\(directory)/server.csr"
        let authorityKey = "\(directory)/ca.key"
        let serial = UInt64.random(in: 1...UInt64(Int64.max))
        try Files.write(Self.settings, to: settings)
        defer { for path in [settings, request, authorityKey] { unlink(path) } }

        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", settings]
        try Program.run(
            ["openssl", "req", "-x509", "-keyout", authorityKey, "-out", authority, "-days", Self.days]
                + ["-subj", "/CN=Exchange simulator authority", "-extensions", "ca"] + key, log: log)
        try Program.run(
            ["openssl", "req", "-keyout", leafKey, "-out", request, "-subj", "/CN=Exchange simulator"] + key, log: log)
        try Program.run(
            ["openssl", "x509", "-req", "-in", request, "-CA", authority, "-CAkey", authorityKey, "-out", leaf]
                + ["-days", Self.days, "-set_serial", String(serial), "-extfile", settings, "-extensions", "server"],
            log: log)
        for path in [leafKey, leaf, authority] { try Files.restrict(path) }
    }

    func configuration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(leaf).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: leafKey, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    func remove() {
        for path in [authority, leaf, leafKey] { unlink(path) }
    }
}
