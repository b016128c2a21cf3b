internal import JSONBytes
internal import PluginABI

/// One call that the kit makes.
struct PlannedCall: Sendable, Equatable {
    var tool: String
    var arguments: [UInt8]
    var credentials: [String] = []
    var outputSchema: JSONValue?
    var inputSchema: JSONValue?
    /// plugin.json gives its bytes a media type.
    var declaresContent = false
}

/// What can be called, from plugin.json and the author's conformance.json:
/// `{"calls": [{"tool", "arguments"}], "stream": TOOL, "slow": TOOL}`, where TOOL is a name or `{"tool", "arguments"}`.
struct CallPlan: Sendable {
    var calls: [PlannedCall] = []
    /// Sends more data than the initial credit allows.
    var stream: PlannedCall?
    /// Runs for ten seconds or more unless it is cancelled.
    var slow: PlannedCall?
    /// Tools for which no arguments were found.
    var uncallable: [String] = []
    var isConnector = false
    var manifest: PluginManifest?
    /// plugin.json declares the host's key-value store.
    var usesKV = false

    static let howToNameSlow =
        "no slow tool is named: add {\"slow\": {\"tool\": …, \"arguments\": …}} to conformance.json "
        + "beside plugin.json, with a call that runs for at least ten seconds"
    static let howToNameStream =
        "no streaming tool is named: add {\"stream\": {\"tool\": …, \"arguments\": …}} to conformance.json beside "
        + "plugin.json, with a call that sends more than \(ABILimits.initialCreditBytes) bytes of data"
    static let howToNameCalls =
        "no tool can be called: give --manifest, or arguments that work in conformance.json beside plugin.json"

    /// - Throws: `StartFailure` for a conformance.json that says something else than the kit understands.
    init(manifest: PluginManifest?, json: JSONValue?, file: JSONValue?) throws(StartFailure) {
        self.manifest = manifest
        isConnector = manifest?.kind == .connector
        usesKV = json?["permissions"]?["kv"] != nil
        let known: Set<String> = ["calls", "stream", "slow"]
        for member in file?.objectValue?.members ?? [] where !known.contains(member.key) {
            throw Self.refused("\(JSONValue.quoted(member.key)) is unknown; known here: calls, slow, stream")
        }
        for item in file?["calls"]?.arrayValue ?? [] { calls.append(try planned(item)) }
        slow = try file?["slow"].map { (item) throws(StartFailure) in try planned(item) }
        stream = try file?["stream"].map { (item) throws(StartFailure) in try planned(item) }
        let special = [slow?.tool, stream?.tool].compactMap { $0 }
        // An author who lists calls may have a tool that nobody should call for a trial.
        let others = file?["calls"] == nil ? manifest?.tools ?? [] : []
        for tool in others where !special.contains(tool.name) {
            if let arguments = ExampleValue.smallest(for: tool.inputSchema) {
                calls.append(call(tool, arguments))
            } else {
                uncallable.append(tool.name)
            }
        }
        let withContent = (json?["tools"]?.arrayValue ?? []).filter { $0["content"] != nil }
        let names = Set(withContent.compactMap { $0["name"]?.stringValue })
        for index in calls.indices { calls[index].declaresContent = names.contains(calls[index].tool) }
        if let tool = stream?.tool { stream?.declaresContent = names.contains(tool) }
    }

    /// The call that checks use where any call will do: the first one without credentials.
    var quick: PlannedCall? { calls.first { $0.credentials.isEmpty } ?? calls.first }

    private func planned(_ item: JSONValue) throws(StartFailure) -> PlannedCall {
        guard let name = item.stringValue ?? item["tool"]?.stringValue else {
            throw Self.refused("a call is a tool's name or {\"tool\", \"arguments\"}, found \(item.text.prefix(80))")
        }
        let tool = manifest?.tools.first { $0.name == name }
        if manifest != nil, tool == nil { throw Self.refused("plugin.json declares no tool \(JSONValue.quoted(name))") }
        if let arguments = item["arguments"] ?? calls.first(where: { $0.tool == name }).flatMap(\.value) {
            guard arguments.objectValue != nil else { throw Self.refused("the arguments of \(name) are no object") }
            return tool.map { call($0, arguments) } ?? PlannedCall(tool: name, arguments: arguments.encoded())
        }
        guard let tool else { return PlannedCall(tool: name, arguments: Array("{}".utf8)) }
        guard let arguments = ExampleValue.smallest(for: tool.inputSchema) else {
            throw Self.refused("no arguments for \(name) were found; write them down")
        }
        return call(tool, arguments)
    }

    /// Sealed credentials are in no call (abi-v1.md, ABI-7.25).
    private func call(_ tool: PluginManifest.Tool, _ arguments: JSONValue) -> PlannedCall {
        let sealed = (manifest?.permissions.credentials ?? []).filter { $0.delivery == .sealed }.map(\.name)
        return PlannedCall(
            tool: tool.name, arguments: arguments.encoded(),
            credentials: tool.credentials.filter { !sealed.contains($0) },
            outputSchema: tool.outputSchema, inputSchema: tool.inputSchema)
    }

    private static func refused(_ reason: String) -> StartFailure {
        StartFailure(description: "conformance.json: \(reason)")
    }
}

extension PlannedCall {
    fileprivate var value: JSONValue? { try? JSONValue(parsing: arguments) }
}
