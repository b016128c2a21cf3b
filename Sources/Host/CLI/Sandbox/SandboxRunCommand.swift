internal import ArgumentParser
internal import Egress
internal import Foundation
internal import JSONBytes
internal import Sandbox
internal import Synchronization

/// `nexus sandbox run [OPTIONS] -- CMD…`
struct SandboxRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a program in the plugin jail; no host is needed.",
        discussion: """
            The system's programs are visible read-only; nothing else of this machine is. Exit code: the program's; \
            128+n if signal n ended it (INT, TERM and HUP reach it as TERM, a second later as KILL); 124 if its time \
            was over; 125 if the jail could not be built; 126 if the program cannot be executed; 127 if it is not there.
            """)

    @Option(help: "System call profile: compat, node, python, strict or native.")
    var profile = "compat"

    @Option(
        help: ArgumentHelp("Show a file or directory of this machine, writable (a weakening).", valueName: "src:dst"))
    var bind: [String] = []

    @Option(help: ArgumentHelp("Show a file or directory of this machine, read-only.", valueName: "src:dst"))
    var roBind: [String] = []

    @Option(help: ArgumentHelp("Mount an empty directory of the jail's own.", valueName: "dst"))
    var tmpfs: [String] = []

    @Option(
        help: ArgumentHelp(
            "Set a variable; nothing of the caller's environment but TERM is there.", valueName: "name=value"))
    var setenv: [String] = []

    @Option(help: ArgumentHelp("Start the program in this directory of the jail.", valueName: "dir"))
    var chdir = "/tmp"

    @Option(help: ArgumentHelp("Let the program reach one server.", valueName: "host:port"))
    var allowNet: [String] = []

    @Option(help: ArgumentHelp("Memory, for example 512M.", valueName: "size"))
    var memory: String?

    @Option(help: ArgumentHelp("Processes and threads together.", valueName: "n"))
    var pids: UInt32?

    @Option(help: ArgumentHelp("End the program after so long.", valueName: "seconds"))
    var timeout: Double?

    @Flag(help: "Say on standard error what the program is refused: calls, and paths that it does not have. Slow.")
    var explain = false

    @Flag(help: "Print errors as JSON.")
    var json = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var command: [String] = []

    func run() async throws {
        let terminal = TerminalState()
        do throws(JailError) {
            let outcome = try await runToTheEnd()
            terminal.restore()
            if let limit = outcome.limit {
                Self.say(limit)
            }
            // The program's status is ours, at once and without another word.
            Foundation.exit(outcome.status)
        } catch {
            terminal.restore()
            SandboxCommand.say(error, json: json)
            throw ExitCode(SandboxRun.status(of: error))
        }
    }

    /// Ctrl-C and the like end the jail, and then this.
    private func runToTheEnd() async throws(JailError) -> SandboxRun.Outcome {
        let options = try options()
        let (command, egress) = (command, try egress())
        Interrupt.arm()
        let running = Task { () async -> Result<SandboxRun.Outcome, JailError> in
            do throws(JailError) {
                return .success(
                    try await SandboxRun.run(
                        options, command: command, egress: egress, helper: DaemonProcess.jailHelper,
                        say: Self.say))
            } catch {
                return .failure(error)
            }
        }
        let watch = Task {
            while !Interrupt.isSet { try await Task.sleep(for: .milliseconds(100)) }
            running.cancel()
        }
        defer { watch.cancel() }
        return try await running.value.get()
    }

    private static func say(_ line: String) {
        FileHandle.standardError.write(Data("nexus: \(line.printable)\n".utf8))
    }

    /// The proxy behind `--allow-net`; none without it.
    private func egress() throws(JailError) -> SandboxEgress? {
        guard !allowNet.isEmpty else { return nil }
        var allow = EgressAllowList([])
        do throws(EgressRefusal) {
            for text in allowNet {
                let rule = try EgressRule(text)
                if let address = rule.host.literal, address.verdict != .global {
                    throw EgressRefusal(
                        .address, "\(rule) can never be reached: programs in a jail reach public addresses")
                }
                allow.rules.append(rule)
            }
        } catch {
            throw JailError(.policy, "--allow-net: \(error.message)", layer: "arguments")
        }
        let said = Mutex<Set<String>>([])
        return SandboxEgress { [allow] socket in
            _ = try await EgressProxy.serve(listener: socket, allow: allow) { denial in
                // Programs tend to keep a proxy's answer to themselves; each target is said once.
                let target = denial.target ?? "?"
                guard said.withLock({ $0.count < 100 && $0.insert(target).inserted }) else { return }
                let line = "nexus: connection to \(target.printable) refused: \(denial.refusal.message.printable)\n"
                FileHandle.standardError.write(Data(line.utf8))
            }
        }
    }

    private func options() throws(JailError) -> SandboxRun.Options {
        var options = SandboxRun.Options()
        options.profile = profile
        for text in roBind { options.binds.append(try SandboxRun.Options.mount(text, writable: false)) }
        for text in bind { options.binds.append(try SandboxRun.Options.mount(text, writable: true)) }
        for text in setenv {
            let variable = try SandboxRun.Options.variable(text)
            options.environment[variable.name] = variable.value
        }
        options.temporary = tmpfs
        options.workingDirectory = chdir
        options.network = allowNet
        if let memory {
            options.limits.memoryBytes = try SandboxRun.Options.size(memory)
            options.wishes["--memory"] = "memory"
        }
        if let pids {
            options.limits.processes = pids
            options.wishes["--pids"] = "processes"
        }
        options.explains = explain
        options.seconds = timeout
        return options
    }
}

/// How the terminal was, and what the program shares with us and the shell, for a program that was ended before it
/// could put it back.
struct TerminalState {
    private var saved: termios?
    /// Of 0 to 2: those whose open file description blocked (open(2)); programs such as node change that for everybody
    /// who has it.
    private let blocking: [Int32]

    init() {
        var state = termios()
        saved = tcgetattr(STDIN_FILENO, &state) == 0 ? state : nil
        blocking = (STDIN_FILENO...STDERR_FILENO).filter { descriptor in
            let flags = fcntl(descriptor, F_GETFL)
            return flags >= 0 && flags & O_NONBLOCK == 0
        }
    }

    /// The modes only in the foreground: elsewhere the terminal is somebody else's, and the attempt would stop us.
    func restore() {
        for descriptor in blocking {
            let flags = fcntl(descriptor, F_GETFL)
            if flags >= 0, flags & O_NONBLOCK != 0 { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
        }
        guard var saved, tcgetpgrp(STDIN_FILENO) == getpgrp() else { return }
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved)
    }
}
