internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// `nexus top`.
struct TopCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show each running instance: process, jail, memory, calls, times, denials.",
        discussion: """
            On a terminal the list is refreshed until you press q. In a pipe, and with --once or --json, it is printed \
            once. MEMORY is what the kernel charges to the jail where a cgroup bounds it, else the resident pages of \
            its processes. P50 and P99 are times in the plugin since its instance started.
            """)
    @OptionGroup var host: HostOptions

    @Flag(help: "Print the list once, also on a terminal.")
    var once = false

    @Option(help: ArgumentHelp("How often the list is refreshed, in seconds.", valueName: "seconds"))
    var interval: Double = 2

    func validate() throws {
        guard (0.1...3_600).contains(interval) else {
            throw ValidationError("--interval must be from 0.1 to 3600 seconds, not \(interval)")
        }
    }

    func perform() async throws {
        let first = try await host.client.json(.get, APIPath.ledger)
        guard !host.json, !once, let terminal = Terminal() else {
            return host.output.show(first) { printOnce(TopLedger($0)) }
        }
        defer { terminal.leave() }
        await watch(terminal, from: first)
    }

    private func printOnce(_ ledger: TopLedger) {
        guard !ledger.rows.isEmpty else {
            return host.output.line("no plugin is running; the first call of its tools starts one")
        }
        let columns = TopScreen.all.filter { $0.title != "/S" }
        host.output.table(columns.map(\.title), ledger.rows.map { row in columns.map { $0.text(row) } })
    }

    private enum Event: Sendable {
        case terminal(Terminal.Event)
        case ledger(Result<JSONValue, any Error>)
    }

    private func watch(_ terminal: Terminal, from first: JSONValue) async {
        let (events, sink) = AsyncStream.makeStream(of: Event.self)
        let keys = Task { for await event in terminal.events() { sink.yield(.terminal(event)) } }
        let asking = Task { [client = host.client, interval] in
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(interval))
                do {
                    sink.yield(.ledger(.success(try await client.json(.get, APIPath.ledger))))
                } catch {
                    sink.yield(.ledger(.failure(error)))
                }
            }
        }
        defer {
            keys.cancel()
            asking.cancel()
        }
        var (ledger, trouble, last) = (TopLedger(first), nil as String?, ContinuousClock.now)
        draw(ledger, trouble, on: terminal)
        for await event in events {
            switch event {
            case .terminal(.end), .terminal(.key(UInt8(ascii: "q"))), .terminal(.key(UInt8(ascii: "Q"))),
                .terminal(.key(3)), .terminal(.key(4)):
                return
            case .terminal: break
            case .ledger(.success(let answer)):
                let now = ContinuousClock.now
                ledger = TopLedger(answer, before: ledger, seconds: (now - last) / .seconds(1))
                (trouble, last) = (nil, now)
            case .ledger(.failure(let error)): trouble = "\(error)"
            }
            draw(ledger, trouble, on: terminal)
        }
    }

    private func draw(_ ledger: TopLedger, _ trouble: String?, on terminal: Terminal) {
        let size = terminal.size
        let hasColours = ProcessInfo.processInfo.environment["NO_COLOR"] == nil
        let screen = TopScreen(columns: size.columns, rows: size.rows, hasColours: hasColours)
        terminal.write(screen.frame(ledger, trouble: trouble))
    }
}
