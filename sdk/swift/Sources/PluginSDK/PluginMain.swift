// The door of a plugin process. On the other side of file descriptor 3 is the host: it is trusted with what the plugin
// sees, but its frames are parsed as strictly as it parses ours. Standard output and error are only logs.
#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

public enum PluginMain {
    /// Where the host puts the plugin's end of the socket (abi-v1.md section 2).
    public static let descriptor: Int32 = 3

    /// Runs the plugin until the host disposes of it or goes away, then ends the process.
    ///
    /// Exit status 0: disposed of, or the host closed the socket. Exit status 1: either side broke the protocol or the
    /// plugin could not start; one line on standard error says what happened. It does not throw, because an error that
    /// leaves `main.swift` is a crash. With the argument `--describe` it prints the tools as plugin.json lists them.
    public static func run(name: String, configure: (Plugin) -> Void) -> Never {
        // A host that is gone is an error of write(2), not a signal.
        signal(SIGPIPE, SIG_IGN)
        let plugin = Plugin(name: name)
        configure(plugin)
        // Counted first: a plugin without arguments does not pay for an array of them.
        if CommandLine.argc > 1, CommandLine.arguments[1] == "--describe" {
            end(describe(plugin, output: STDOUT_FILENO, errors: STDERR_FILENO))
        }
        do {
            try serve(plugin, descriptor: descriptor)
        } catch .hostGone {
            end(0)
        } catch {
            say("\(name): \(error)\n", on: STDERR_FILENO)
            end(1)
        }
        end(0)
    }

    /// Handlers may still run on other threads: nothing of theirs is cleaned up under them.
    private static func end(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    /// Writes the tools as plugin.json lists them, and the author's mistakes; gives the exit status.
    static func describe(_ plugin: Plugin, output: Int32, errors: Int32) -> Int32 {
        let mistakes = plugin.mistakes
        for mistake in mistakes { say("\(plugin.name): \(mistake)\n", on: errors) }
        say(plugin.description.text + "\n", on: output)
        return mistakes.isEmpty ? 0 : 1
    }

    private static func say(_ text: String, on descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Runs the plugin over an open stream socket on the calling thread; a test holds the other end.
    ///
    /// - Throws: `SessionError` unless the host disposed of the plugin.
    public static func serve(_ plugin: Plugin, descriptor: Int32) throws(SessionError) {
        try Session(plugin: plugin, link: SocketLink(descriptor: descriptor)).run()
    }
}
