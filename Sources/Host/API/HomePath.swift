/// Where a host's home is, as nexusd and nexus both work it out.
public enum HomePath {
    public static let variable = "NEXUS_HOME"

    /// `NEXUS_HOME`; for root `/var/lib/nexus`; else `$XDG_DATA_HOME/nexus`, by default `~/.local/share/nexus`.
    public static func standard(environment: [String: String], isRoot: Bool) -> String {
        if let home = environment[variable], !home.isEmpty { return home }
        if isRoot { return "/var/lib/nexus" }
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return "\(data)/nexus" }
        return "\(environment["HOME"] ?? "/tmp")/.local/share/nexus"
    }

    public static func socket(home: String) -> String { "\(home)/nexusd.sock" }
    public static func firstToken(home: String) -> String { "\(home)/token" }
    public static func log(home: String) -> String { "\(home)/nexusd.log" }
}
