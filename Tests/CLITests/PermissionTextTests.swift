import JSONBytes
import PluginABI
import Testing

@testable import nexus

@Suite struct PermissionTextTests {
    private func lines(_ permissions: String, rest: String = "") throws -> [String] {
        let text = #"""
            {"manifest":1,"name":"sample","version":"1.0.0","kind":"tool","description":"d","abi":{"min":1,"max":1},
             "runtime":{"executable":"bin/sample"},"permissions":\#(permissions),
             "tools":[{"name":"t","description":"d","inputSchema":{"type":"object"}}]\#(rest)}
            """#
        let manifest = try PluginManifest(parsing: Array(text.utf8))
        return PermissionText(output: Output(isJSON: false)).lines(PermissionText.json(manifest))
    }

    @Test func aPluginThatAsksForNothingComputes() throws {
        #expect(
            try lines("{}") == [
                "sample 1.0.0 may:", "  • compute, and nothing else",
                "It may not: open sockets, see files of this machine, "
                    + "start other programs' processes outside its jail.",
            ])
    }

    @Test func sealedUsesAreShownWithTheirPlaces() throws {
        let shown = try lines(
            #"""
            {"http.fetch":[{"endpoint":"e","origin":"https://a.example.com","methods":["GET"],"paths":["/v1/"],
               "sealed":[{"header":"X-Key","credential":"key"},{"sign":"binance","credential":"pair"}],
               "reason":"Prices"}],
             "credentials":[{"name":"key","scope":"user","delivery":"sealed","reason":"Names the account"},
                            {"name":"pair","scope":"global","delivery":"sealed","reason":"To sign"}]}
            """#)
        #expect(
            shown.dropLast() == [
                "sample 1.0.0 may:",
                "  • ask the host for GET under https://a.example.com/v1/",
                "    Prices",
                "    where asked, the host writes key into the header X-Key",
                "    where asked, the host signs query and body with pair, as Binance does",
                "  • use the user credential key without seeing it: the host puts it into requests, as said above",
                "    Names the account",
                "  • use the global credential pair without seeing it: the host puts it into requests, as said above",
                "    To sign",
            ])
    }

    @Test func everyPermissionIsShownWithItsReason() throws {
        let shown = try lines(
            #"""
            {"http.fetch":[{"endpoint":"e","origin":"https://a.example.com","methods":["GET","POST"],
                            "paths":["/v1/","/v2/"],"reason":"Prices"}],
             "credentials":[{"name":"key","scope":"user","reason":"To sign"}],
             "kv":{"megabytes":8,"reason":"Cache"},
             "resources":{"memoryMegabytes":64,"processes":4,"openFiles":32,"temporaryMegabytes":8,"reason":"Small"}}
            """#)
        #expect(
            shown.dropLast() == [
                "sample 1.0.0 may:",
                "  • ask the host for GET, POST under https://a.example.com/v1/, https://a.example.com/v2/",
                "    Prices",
                "  • receive the user credential key, in calls that need it only",
                "    To sign",
                "  • keep up to 8 MiB with the host",
                "    Cache",
                "  • use at most 64 MiB of memory, 4 processes and threads, 32 open files, "
                    + "8 MiB of /tmp",
                "    Small",
            ])
    }

    @Test func whatThisHostCannotEnforceIsSaidAndNotPromised() throws {
        let shown = try lines(
            #"""
            {"net.connect":[{"host":"db.example.com","port":5432,"reason":"Rows"}],
             "filesystem":[{"path":"/srv/in","access":"read","reason":"In"},
                           {"path":"/srv/out","access":"write","reason":"Out"}],
             "resources":{"cpuPercent":50,"reason":"Busy"}}
            """#)
        #expect(
            shown == [
                "sample 1.0.0 may:",
                "  • send and receive anything over connections that the host makes to db.example.com:5432", "    Rows",
                "  • read /srv/in of this machine", "    In",
                "  • read and change /srv/out of this machine", "    Out",
                "  • use at most 50 % of a processor", "    Busy",
                "    NOT ENFORCED: permissions.resources.cpuPercent: processor time is not bounded on this host "
                    + "(it has no delegated cgroup); 50 % is what the plugin says that it needs",
                "  REFUSED HERE: permissions.filesystem[0]: this host cannot grant read access to /srv/in "
                    + "and hold the plugin to it yet; nothing is granted instead",
                "  REFUSED HERE: permissions.filesystem[1]: this host cannot grant write access to /srv/out "
                    + "and hold the plugin to it yet; nothing is granted instead",
                "It may not: open sockets, start other programs' processes outside its jail.",
            ])
    }

    @Test func overridesOfAnAdminAreShown() {
        let plugin: JSONValue = [
            "name": "sample", "version": "1.0.0",
            "permissions": [
                "http.fetch": [
                    [
                        "endpoint": "e", "origin": "https://a.example.com", "methods": ["GET"], "paths": ["/"],
                        "reason": "r", "override": ["origin": "https://127.0.0.1:1", "weakeningLoopback": true],
                    ]
                ]
            ],
        ]
        let shown = PermissionText(output: Output(isJSON: false)).lines(plugin)
        #expect(shown.contains("    WEAKENED: e leads to https://127.0.0.1:1, a loopback address (--dev-loopback)"))
    }

    @Test func whatAnAdminDecidedIsShown() throws {
        let plugin: JSONValue = [
            "name": "sample", "version": "1.0.0", "isolationForcedBy": ["key"], "revoked": ["other"],
            "permissions": [
                "credentials": [
                    ["name": "key", "scope": "user", "reason": "r"], ["name": "other", "scope": "user", "reason": "r"],
                ]
            ],
        ]
        let text = PermissionText(output: Output(isJSON: false))
        let shown = text.lines(plugin)
        #expect(shown.contains("    REVOKED: it gets this credential no more"))
        #expect(shown.filter { $0.contains("REVOKED") }.count == 1)
        #expect(shown.contains("    Each user has a process of their own, because of key."))
        var weakened = try #require(plugin.objectValue)
        weakened["weakeningSharedUsers"] = true
        #expect(text.lines(.object(weakened)).contains { $0.contains("WEAKENED: one process may hold") })
    }
}
