internal import Foundation
internal import HostAPI
internal import JSONBytes

/// A host for one plugin's development, in a home of its own. What this starts or makes, it stops and removes; so too
/// what an earlier one left because it was killed.
struct DevHost {
    let home: String
    private var isOurs = false
    private var madeHome = false
    private var mark: DevMark?

    enum Beginning {
        case started
        /// Ours from now on.
        case leftBehind
        /// Ours already, or somebody else's.
        case runs
    }

    /// The plugin that was installed for development, as the home knows it.
    var installed: String? {
        get { mark?.plugin }
        set { mark?.plugin = newValue }
    }

    var client: HostClient { HostClient(home: home) }

    /// - Parameter wish: `--home`; by default `.nexus` in the plugin's directory.
    init(project: PluginProject, wish: String?) {
        home = wish.map(ProjectPath.absolute) ?? Self.standard(project)
    }

    /// `DIR/.nexus`, or a folder for temporary files where a socket's path would be too long (unix(7)), or where the
    /// user that nexusd becomes could not get in.
    private static func standard(_ project: PluginProject) -> String {
        let near = "\(project.directory)/.nexus"
        let isShort = HomePath.socket(home: near).utf8.count < 108
        if isShort, geteuid() != 0 || isOpen(project.directory) { return near }
        let mark = near.utf8.reduce(UInt64(5_381)) { ($0 << 5) &+ $0 &+ UInt64($1) }
        return "/tmp/nexus-dev-\(geteuid())-\(String(mark, radix: 36))"
    }

    /// Everybody may pass through the directory and those above it.
    private static func isOpen(_ directory: String) -> Bool {
        var path = ""
        for part in directory.split(separator: "/") {
            path += "/\(part)"
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IXOTH != 0 else { return false }
        }
        return true
    }

    mutating func start() async throws -> Beginning {
        if isOurs, await DaemonProcess(home: home).isRunning() { return .runs }
        let wasThere = access(home, F_OK) == 0
        if mark == nil { mark = DevMark.take(in: home) }
        if mark != nil { (isOurs, madeHome) = (true, true) }
        let isStarted: Bool
        do {
            isStarted = try await DaemonProcess(home: home).ensure(arguments: ["--port", "0", "--show-paths"])
        } catch {
            if !wasThere { try? FileManager.default.removeItem(atPath: home) }
            throw error
        }
        guard isStarted else { return isOurs ? .leftBehind : .runs }
        isOurs = true
        // Not before: nexusd takes only an empty directory from root.
        if !wasThere { (madeHome, mark) = (true, DevMark.make(in: home)) }
        return .started
    }

    /// Ends the host if it is ours, with its home if that was not there before; also one that was left behind and never
    /// needed again.
    mutating func stop() async {
        if mark == nil, let left = DevMark.take(in: home) { (mark, isOurs, madeHome) = (left, true, true) }
        guard isOurs else { return }
        isOurs = false
        let answer = try? await client.json(.post, APIPath.shutDown)
        let process = answer?["processID"]?.intValue.flatMap(Int32.init(exactly:)) ?? 0
        for _ in 0..<600 where process > 1 && (kill(process, 0) == 0 || errno == EPERM) {
            try? await Task.sleep(for: .milliseconds(50))
        }
        if madeHome { try? FileManager.default.removeItem(atPath: home) }
    }
}
