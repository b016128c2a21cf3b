import Foundation
import Glibc
import PluginABI
import Testing

@testable import HostCore

/// An HTTPS server of this machine, with a certificate that no one else trusts. It answers by the path:
/// `/api/v3/redirect/here` leads to itself and `/api/v3/redirect/out` elsewhere, `/api/v3/bytes/N` has a body of N
/// bytes, `/api/v3/wait` answers when `/api/v3/go` is asked, `/api/v3/count` says how many requests there were,
/// `/api/v3/echo` sends back what it was sent, in its body and a header, and `/api/v3/packed` the same compressed.
final class LocalHTTPS: Sendable {
    let port: Int
    let authority: String
    private let process: Process
    private let folder: String

    init() throws {
        var template = Array("/tmp/nexus-https-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let certificate = Process()
        certificate.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        certificate.arguments =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem", "-subj", "/CN=127.0.0.1"]
            + ["-addext", "subjectAltName=IP:127.0.0.1"]
        certificate.standardError = FileHandle.nullDevice
        try certificate.run()
        certificate.waitUntilExit()
        try #require(certificate.terminationStatus == 0)
        authority = try String(contentsOfFile: "\(folder)/cert.pem", encoding: .utf8)
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.program, folder]
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        // It ends when this end closes, however these tests end.
        process.standardInput = Pipe()
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "the server did not start")
    }

    deinit {
        // Waiting for it here would need a run loop that this thread may not have; Foundation reaps it.
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Leads the sample's endpoint here.
    func override() throws -> EndpointOverride {
        let origin = try #require(Origin("https://127.0.0.1:\(port)"))
        return EndpointOverride(origin: origin, authority: authority, weakeningLoopback: true)
    }

    private static let program = """
        import base64, http.server, os, ssl, sys, threading, zlib
        folder, go, lock = sys.argv[1], threading.Event(), threading.Lock()
        seen = []
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *rest): pass
            def answer(self, status, body, headers={}):
                self.send_response(status)
                for name, value in headers.items(): self.send_header(name, value)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                try: self.wfile.write(body)
                except OSError: pass
            def do_GET(self):
                path = self.path.removeprefix('/api/v3/')
                word, _, rest = path.partition('/')
                if word == 'count': return self.answer(200, str(len(seen)).encode())
                with lock: seen.append(path)
                if word == 'redirect':
                    here = '127.0.0.1:%d/api/v3/bytes/1' % server.server_address[1]
                    target = here if rest == 'here' else 'evil.example/'
                    self.answer(302, b'moved', {'Location': 'https://' + target})
                elif word == 'bytes': self.answer(200, b'x' * int(rest))
                elif word == 'wait':
                    go.wait(30)
                    self.answer(200, b'late')
                elif word.startswith(('echo', 'packed')):
                    key = self.headers.get('X-Key', '')
                    said = self.path + '\\n' + str(self.headers) + base64.b64encode(('u:' + key).encode()).decode()
                    coding = {'X-Echo': key}
                    if word.startswith('packed'):
                        return self.answer(200, zlib.compress(said.encode()), {'Content-Encoding': 'deflate'})
                    self.answer(200, said.encode(), coding)
                elif word == 'go':
                    go.set()
                    self.answer(200, b'gone')
                else: self.answer(404, b'')
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def finish_request(self, request, address):
                request.do_handshake()
                super().finish_request(request, address)
            def handle_error(self, request, address): pass
        server = Server(('127.0.0.1', 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + '/cert.pem', folder + '/key.pem')
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print(server.server_address[1], flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        server.serve_forever()
        """
}
