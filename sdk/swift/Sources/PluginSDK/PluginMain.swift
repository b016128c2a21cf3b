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
    /// leaves `main.swift` is a crash.
    public static func run(name: String, configure: (Plugin) -> Void) -> Never {
        // A host that is gone is an error of write(2), not a signal.
        signal(SIGPIPE, SIG_IGN)
        let plugin = Plugin(name: name)
        configure(plugin)
        do {
            try serve(plugin, descriptor: descriptor)
        } catch .hostGone {
            exit(0)
        } catch {
            let line = Array("\(name): \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(1)
        }
        exit(0)
    }

    /// Runs the plugin over an open stream socket on the calling thread; a test holds the other end.
    ///
    /// - Throws: `SessionError` unless the host disposed of the plugin.
    public static func serve(_ plugin: Plugin, descriptor: Int32) throws(SessionError) {
        try Session(plugin: plugin, link: SocketLink(descriptor: descriptor)).run()
    }
}
