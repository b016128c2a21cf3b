/// What is checked.
public enum PluginUnderTest: Sendable, Equatable {
    /// A directory with plugin.json; the plugin runs in its jail, as nexusd would run it.
    case directory(String)
    /// A command, run outside any jail, with the socket on descriptor 3. `manifest` is the path of its plugin.json;
    /// without one no tool is known, and what needs a tool is skipped.
    case command([String], manifest: String?)

    /// As a person names it.
    public var name: String {
        switch self {
        case .directory(let path): path
        case .command(let words, _): words.joined(separator: " ")
        }
    }

    /// Where plugin.json and conformance.json are; nil if nobody said.
    var manifestPath: String? {
        switch self {
        case .directory(let path): path + "/plugin.json"
        case .command(_, let manifest): manifest
        }
    }

    /// Beside plugin.json.
    var callsPath: String? {
        manifestPath.map { path in
            let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            return (directory + ["conformance.json"]).joined(separator: "/")
        }
    }
}
