internal import PluginABI

/// May this caller use this tool? Every decision names its rule, and the rule goes into the log.
public struct Policy: Sendable {
    public enum Decision: Sendable, Equatable {
        case allow(rule: String)
        case deny(rule: String, reason: String)
    }

    public init() {}

    /// The rules of this version: whoever is authenticated may call what an admin installed. A tool that needs a user's
    /// credential further needs that principal to have set one; the credentials stage sees to that.
    func decide(_ caller: Caller, tool: PluginManifest.Tool, of plugin: InstalledPlugin) -> Decision {
        guard UserName.isValidPrincipal(caller.principal) else {
            return .deny(rule: "principal-is-valid", reason: "\"\(caller.principal)\" is not a valid principal")
        }
        return .allow(rule: "installed-tools")
    }
}
