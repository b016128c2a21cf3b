import JSONBytes
import PluginABI
import Testing

@testable import HostCore

/// A plugin whose endpoint `exchange` has sealed uses, and a call of it with values for the credentials.
enum SealedSample {
    static func plugin(
        _ sealed: String, _ names: [String], endpoints: [String: EndpointOverride] = [:]
    ) throws -> InstalledPlugin {
        let declared = names.map {
            #"{"name":"\#($0)","scope":"user","delivery":"sealed","reason":"r"}"#
        }.joined(separator: ",")
        let used = names.map { "\"\($0)\"" }.joined(separator: ",")
        let text = #"""
            {"manifest":1,"name":"sample","version":"1.0.0","kind":"tool","description":"d","abi":{"min":1,"max":1},
             "runtime":{"executable":"bin/sample"},
             "permissions":{"credentials":[\#(declared)],"http.fetch":[{"endpoint":"exchange",
              "origin":"https://api.example.com","methods":["GET","POST","PUT"],"paths":["/api/v3/"],
              "sealed":[\#(sealed)],"reason":"r"}]},
             "tools":[{"name":"sample_echo","description":"d","credentials":[\#(used)],
                       "inputSchema":{"type":"object"}}]}
            """#
        return InstalledPlugin(
            manifest: try PluginManifest(parsing: Array(text.utf8)), digest: "00",
            installed: "2026-01-01T00:00:00.000Z", endpoints: endpoints)
    }

    static func context(
        _ sealed: String, _ values: [(String, String)], endpoints: [String: EndpointOverride] = [:]
    ) throws -> CallContext {
        var context = try SamplePlugin.context()
        context.plugin = try plugin(sealed, values.map(\.0), endpoints: endpoints)
        context.sealed = SealedCredentials(
            values.map { Credential(name: $0.0, value: SecretBytes(copying: Array($0.1.utf8))) })
        return context
    }

    static func wish(_ members: JSONValue, body: String = "") throws(ABIError) -> FetchRequest {
        var all = JSONObject([("endpoint", "exchange"), ("method", "GET"), ("path", "/api/v3/x")])
        for member in members.objectValue?.members ?? [] { all[member.key] = member.value }
        return try FetchRequest(Message.Payload(.object(all), bytes: Array(body.utf8)))
    }

    /// The request as it leaves at a moment in Unix milliseconds.
    static func completed(
        _ members: JSONValue, body: String = "", in context: CallContext, at now: UInt64 = 1_499_827_319_559
    ) throws(ABIError) -> FetchRequest {
        let wish = try wish(members, body: body)
        let route = try EgressPolicy.route(wish, for: context.plugin)
        let request: SealedRequest
        do throws(ServiceFailure) { request = try SealedRequest(wish, route, in: context) } catch { throw error.error }
        return try request.completed(at: now)
    }
}
