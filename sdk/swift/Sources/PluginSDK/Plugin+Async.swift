// The only file, with `ToolCall+Async.swift`, that touches Swift concurrency. A plugin that registers no asynchronous
// tool runs none of it.

extension Plugin {
    /// Offers a tool whose calls run as tasks, several at once. Cancelling by the host and the call's deadline cancel
    /// the task. Nothing may be isolated to the main actor: the main thread reads the socket.
    public func asyncTool(
        _ name: String, _ about: String = "", options: ToolOptions = ToolOptions(),
        handler: @escaping @Sendable (ToolCall) async throws -> ToolResult
    ) {
        let start = ToolDefinition.Handler.concurrent { call in Self.start(call, handler) }
        add(ToolDefinition(name: name, about: about, options: options, handler: start))
    }

    /// Offers a tool with typed arguments; see the other `asyncTool`.
    public func asyncTool<Arguments: ToolArguments>(
        _ name: String, _ about: String = "", options: ToolOptions = ToolOptions(),
        handler: @escaping @Sendable (Arguments, ToolCall) async throws -> JSONValue
    ) {
        let run = { @Sendable (call: ToolCall) in ToolResult.json(try await handler(call.read(), call)) }
        add(name, about, options, Arguments.self, JSONValue.self, .concurrent { call in Self.start(call, run) })
    }

    /// Offers a tool with typed arguments and a typed result; see the other `asyncTool`.
    public func asyncTool<Arguments: ToolArguments, Answer: ToolOutput>(
        _ name: String, _ about: String = "", options: ToolOptions = ToolOptions(),
        handler: @escaping @Sendable (Arguments, ToolCall) async throws -> Answer
    ) {
        let run = { @Sendable (call: ToolCall) in try await handler(call.read(), call).result() }
        add(name, about, options, Arguments.self, Answer.self, .concurrent { call in Self.start(call, run) })
    }

    /// Makes the plugin a connector: `handler` serves every tool that is offered later, as a task.
    public func asyncConnector(
        _ handler: @escaping @Sendable (ToolCall) async throws -> ToolResult
    ) -> Connector {
        connect(.concurrent { call in Self.start(call, handler) })
    }

    private static func start(
        _ call: ToolCall, _ handler: @escaping @Sendable (ToolCall) async throws -> ToolResult
    ) -> () -> Void {
        let task = Task.detached {
            do {
                var result = try call.checked(await handler(call))
                if call.session.isTooLong(result) {
                    try await call.send(result.bytes)
                    result = .json(result.value)
                }
                call.finish(.success(result))
            } catch {
                call.finish(.failure(error))
            }
        }
        return { task.cancel() }
    }
}
