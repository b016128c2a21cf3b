// exchange-simulator: the Binance Spot REST API on loopback, for tests and demos. What it sells is not for sale.

import ArgumentParser
import Glibc
import JSONBytes

@main
struct ExchangeSimulator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exchange-simulator",
        abstract: "Speaks the Binance Spot REST API on 127.0.0.1, over TLS with a certificate made at start.",
        discussion: """
            Once it listens it prints one line: {"url":"https://127.0.0.1:PORT","ca":"DIR/ca.pem","pid":N}. Without \
            accounts it has the one of Binance's published signature examples, with 10000 USDT, 0.5 BTC and 3 ETH. \
            SIGTERM or SIGINT ends it.
            """)

    @Option(help: "Port on 127.0.0.1; 0 takes any that is free.")
    var port = 0

    @Option(
        name: .customLong("account"),
        help: ArgumentHelp(
            "A simulated account (repeatable); never a real secret: other users can read a command line.",
            valueName: "key:secret"))
    var accounts: [String] = []

    @Option(help: #"JSON: [{"key": "…", "secret": "…", "balances": {"USDT": "100"}}]"#)
    var accountsFile: String?

    @Option(help: "Where certificate and key are written; by default a temporary directory, removed at the end.")
    var directory: String?

    @Flag(help: "Serve without TLS, for clients that cannot be given a certificate authority.")
    var plainHttp = false

    @Option(help: "Other seeds, other books.")
    var seed: UInt64 = 1

    @Option(help: "Request weight per minute before 429.")
    var weightLimit = Limits().weightPerMinute

    @Option(help: "Unfilled orders of an account in ten seconds before 429.")
    var orderLimit = Limits().ordersPerTenSeconds

    @Option(help: "Unfilled orders of an account in a day before 429.")
    var dailyOrderLimit = Limits().ordersPerDay

    @Option(help: "A clock that stands still: milliseconds since 1970, to replay requests signed for that moment.")
    var fixedTime: Int64?

    @Flag(help: "One line per request on standard error: method, path and status.")
    var verbose = false

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be between 0 and 65535") }
        guard (0..<100_000_000_000_000).contains(fixedTime ?? 0) else {
            throw ValidationError("--fixed-time must be milliseconds since 1970")
        }
        guard weightLimit > 0, orderLimit > 0, dailyOrderLimit > 0 else {
            throw ValidationError("limits must be greater than 0")
        }
    }

    func run() async throws {
        umask(0o077)
        let place = try directory ?? (plainHttp ? nil : Files.makeTemporaryDirectory())
        defer { if directory == nil, let place { rmdir(place) } }
        if let directory { try Files.makeDirectory(directory) }
        let certificate = try plainHttp ? nil : place.map { try Certificate(in: $0) }
        defer { if directory == nil { certificate?.remove() } }

        let limits = Limits(
            weightPerMinute: weightLimit, ordersPerTenSeconds: orderLimit, ordersPerDay: dailyOrderLimit)
        let exchange = Exchange(market: Market(seed: seed), accounts: try allAccounts(), limits: limits)
        let server = Server(
            desk: Desk(exchange, clock: clock), port: port, certificate: certificate, isVerbose: verbose)
        do {
            try await server.run { port in Self.announce(port, certificate) }
        } catch {
            throw StartError(
                "cannot serve on \(Server.address):\(port): \(error); choose another port, or 0 for any that is free")
        }
    }

    private func allAccounts() throws -> [Account] {
        let named = try accounts.enumerated().map { try Account(argument: $1, place: "--account number \($0 + 1)") }
        var listed = try named + (accountsFile.map { try AccountsFile.read($0) } ?? [])
        for place in listed.indices { listed[place].uid = place + 1 }
        guard Set(listed.map(\.key)).count == listed.count else { throw StartError("two accounts have the same key") }
        return listed.isEmpty ? [.demo] : listed
    }

    private static func announce(_ port: Int, _ certificate: Certificate?) {
        var line: [(key: String, value: JSONValue)] = [
            ("url", .string("\(certificate == nil ? "http" : "https")://\(Server.address):\(port)"))
        ]
        if let certificate { line.append(("ca", .string(certificate.authority))) }
        line.append(("pid", JSONValue(Int(getpid()))))
        Output.line(JSONValue.object(JSONObject(line)).text)
    }

    private var clock: @Sendable () -> ServerTime {
        if let fixedTime { return { ServerTime(microseconds: fixedTime * 1_000) } }
        return {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return ServerTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
        }
    }
}
