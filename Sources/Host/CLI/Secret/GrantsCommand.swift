internal import ArgumentParser
internal import HostAPI
internal import JSONBytes

/// `nexus secret grants`, `nexus secret grants crypto-bot --revoke api_secret`
struct SecretGrantsCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "grants", abstract: "List which plugins may be lent which credentials; revoke or grant one.",
        discussion: """
            Installing a plugin grants the credentials that it declares. A revoked one stays revoked when the plugin \
            is upgraded: calls that need it are refused, and the plugin's processes are ended once the calls under way \
            are answered. The stored values stay; `nexus secret rm` removes them.
            """)
    @OptionGroup var host: HostOptions

    @Argument(help: "Only this plugin.")
    var plugin: String?

    @Option(help: ArgumentHelp("Lend this credential to the plugin no more.", valueName: "name"))
    var revoke: String?

    @Option(help: ArgumentHelp("Lend it again.", valueName: "name"))
    var grant: String?

    func validate() throws {
        if revoke != nil, grant != nil { throw ValidationError("--revoke and --grant exclude each other") }
        if plugin == nil, revoke ?? grant != nil { throw ValidationError("name the plugin, too") }
    }

    func perform() async throws {
        if let plugin, let name = revoke ?? grant {
            let body: JSONValue = ["granted": .bool(grant != nil)]
            let answer = try await host.client.json(.put, APIPath.grant(name, of: plugin), body: body.encoded())
            host.output.show(answer) { _ in
                host.output.line("\(grant != nil ? "granted" : "revoked") \(name) of \(plugin)")
            }
            return
        }
        host.output.show(try await host.client.json(.get, APIPath.grants)) { answer in
            let grants = answer.list("grants").filter { plugin == nil || $0["plugin"]?.stringValue == plugin }
            if grants.isEmpty { host.output.line("no installed plugin declares credentials") }
            host.output.table(
                ["PLUGIN", "CREDENTIAL", "SCOPE", "GRANTED", "STORED FOR", "TOOLS"],
                grants.map { grant in
                    let users = grant.list("users").compactMap(\.stringValue)
                    return [
                        grant.shown("plugin"), grant.shown("name"), grant.shown("scope"),
                        grant["granted"]?.boolValue == true ? "yes" : "REVOKED",
                        users.isEmpty ? "nobody" : grant["scope"] == "global" ? "everybody" : "\(users.count) users",
                        grant.list("tools").compactMap(\.stringValue).map(\.printable).joined(separator: ", "),
                    ]
                })
        }
    }
}
