import JSONBytes
import PluginABI

@testable import PluginSDK

/// The plugin that sdk/spec/vectors/transcripts.json speaks of: once with waiting tools, once with asynchronous ones.
enum VectorPlugin {
    static func waiting() -> Plugin {
        let plugin = Plugin(name: "vector")
        plugin.tool("echo") { .json($0.arguments) }
        plugin.tool("fail") { throw Self.error($0) }
        plugin.tool("wait") { call in
            _ = try call.session.wait(call, for: "the end of time") { () -> Int? in nil }
            return .json([:])
        }
        plugin.tool("stream") { call in
            for part in parts(call) { try call.send(part) }
            return .json(["sent": call.arguments["bytes"] ?? .null])
        }
        plugin.tool("steps", handler: steps)
        plugin.tool("fetch") { call in
            .json(["status": JSONValue(try call.http(HTTPRequest(endpoint: "e", path: "/")).status)])
        }
        plugin.tool("secret") { .json(["length": JSONValue(try $0.credential("key").count)]) }
        plugin.tool("say", handler: say)
        return plugin
    }

    static func asynchronous() -> Plugin {
        let plugin = Plugin(name: "vector")
        plugin.asyncTool("echo") { .json($0.arguments) }
        plugin.asyncTool("fail") { throw Self.error($0) }
        plugin.asyncTool("wait") { _ in
            try await Task.sleep(for: .seconds(3_600))
            return .json([:])
        }
        plugin.asyncTool("stream") { call in
            for part in parts(call) { try await call.send(part) }
            return .json(["sent": call.arguments["bytes"] ?? .null])
        }
        plugin.asyncTool("steps") { try steps($0) }
        plugin.asyncTool("fetch") { call in
            .json(["status": JSONValue(try await call.http(HTTPRequest(endpoint: "e", path: "/")).status)])
        }
        plugin.asyncTool("secret") { .json(["length": JSONValue(try $0.credential("key").count)]) }
        plugin.asyncTool("say") { try say($0) }
        return plugin
    }

    private static func error(_ call: ToolCall) -> ToolError {
        ToolError(
            call.arguments["code"]?.stringValue ?? "", call.arguments["message"]?.stringValue ?? "",
            retryable: call.arguments["retryable"]?.boolValue == true)
    }

    private static func parts(_ call: ToolCall) -> [[UInt8]] {
        let (total, chunk) = (call.arguments["bytes"]?.intValue ?? 0, call.arguments["chunk"]?.intValue ?? 1)
        return stride(from: 0, to: total, by: chunk).map { start in
            [UInt8](repeating: UInt8(ascii: "x"), count: min(chunk, total - start))
        }
    }

    @Sendable private static func steps(_ call: ToolCall) throws -> ToolResult {
        let count = UInt64(call.arguments["count"]?.intValue ?? 0)
        for step in 0..<count { call.progress(step + 1, of: count) }
        return .json(["steps": JSONValue(Int(count))])
    }

    @Sendable private static func say(_ call: ToolCall) throws -> ToolResult {
        call.log(.info, call.arguments["text"]?.stringValue ?? "")
        return .json([:])
    }
}
