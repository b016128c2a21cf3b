internal import Conformance
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import Registry

/// Nexus as a host under test: one nexusd on a home of its own, every scenario a plugin in it. Nothing of it is left
/// after `close`.
actor NexusDriver: HostDriver {
    private let home = "/tmp/nexus-conform-home-\(UUID().uuidString.prefix(8))"
    private var starting: Task<Void, any Error>?

    func open(_ plugins: [HostPlugin]) async throws(HostDriverFailure) -> any HostUnderTest {
        do {
            try await ready()
            let host = NexusUnderTest(client: HostClient(home: home))
            for plugin in plugins { try await host.install(plugin) }
            return host
        } catch {
            throw HostDriverFailure("\(error)")
        }
    }

    private func ready() async throws {
        let home = home
        let task = starting ?? Task { _ = try await DaemonProcess(home: home).ensure(arguments: ["--port", "0"]) }
        starting = task
        try await task.value
    }

    /// Asks nexusd to stop, kills it if it does not, and removes its home. Plugins die with their host.
    func close() async {
        guard starting != nil else { return }
        let answer = try? await HostClient(home: home).json(.post, APIPath.shutDown)
        if let process = answer?["processID"]?.intValue.flatMap(Int32.init(exactly:)), process > 1 {
            for _ in 0..<300 where kill(process, 0) == 0 { try? await Task.sleep(for: .milliseconds(50)) }
            if kill(process, 0) == 0 { kill(process, SIGKILL) }
        }
        try? FileManager.default.removeItem(atPath: home)
    }
}

/// What the kit asks, as requests of the admin API.
struct NexusUnderTest: HostUnderTest {
    let client: HostClient
    let abilities: Set<HostAbility> = [.cancel, .deadline, .credentials, .bytes, .log, .late]
    /// Longer than any deadline of the specification.
    private static let patience: Int64 = 45
    /// An answer with a payload of 4 MiB in base64.
    private static let limits = JSONLimits(bytes: 32 << 20, depth: 66, values: 200_100)

    func install(_ plugin: HostPlugin) async throws {
        let bundle: PluginBundle
        do {
            bundle = try PluginBundle.load(directory: plugin.directory)
        } catch {
            throw CommandFailure(error.message)
        }
        _ = try await client.json(.post, APIPath.plugins, body: bundle.upload)
        for (name, value) in plugin.credentials {
            let place = [("plugin", plugin.name), ("name", name)]
            _ = try await client.json(.put, APIPath.secrets, query: place, body: Array(value.utf8))
        }
    }

    func start(_ plugin: String) async -> HostAnswer {
        await send(APIPath.plugin(plugin, "start"), query: [("once", "1")])
    }

    func call(_ call: HostToolCall) async -> HostAnswer {
        let deadline = call.deadlineMilliseconds.map { [("milliseconds", "\($0)")] } ?? []
        let request = Task { await send(APIPath.call(call.tool), call.arguments, query: deadline) }
        guard let patience = call.cancelAfterMilliseconds else { return await request.value }
        try? await Task.sleep(for: .milliseconds(patience))
        request.cancel()
        return await request.value
    }

    func state(of plugin: String) async -> HostPluginState {
        guard let answer = try? await client.json(.get, APIPath.plugin(plugin)) else {
            return HostPluginState(state: "unknown: no answer")
        }
        return HostPluginState(
            state: answer["state"]?.stringValue ?? "unknown", cause: answer["cause"]?.stringValue ?? "",
            late: answer["lateFrames"]?.intValue ?? 0, log: answer.list("recentLog").compactMap(\.stringValue))
    }

    func stop(_ plugin: String) async { _ = await send(APIPath.plugin(plugin, "stop")) }

    /// The host is shared; its driver ends it.
    func close() async {}

    private func send(_ path: String, _ body: [UInt8] = [], query: [(String, String)] = []) async -> HostAnswer {
        do {
            let (status, answer) = try await client.exchange(
                .post, path, query: query, body: body, seconds: Self.patience)
            guard status != 200 else { return Self.result(answer) }
            guard let json = try? JSONValue(parsing: answer), let failure = APIFailure(json) else {
                return .failure(
                    code: "http-\(status)", message: "nexusd answered with HTTP \(status)", retryable: false)
            }
            return .failure(code: failure.code, message: failure.message, retryable: failure.retryable)
        } catch is CancellationError {
            return .failure(code: "cancelled", message: "the caller hung up", retryable: false)
        } catch {
            return .failure(code: "driver-failed", message: "\(error)", retryable: false)
        }
    }

    /// `{"result": as the plugin wrote it, "content"?: {"mediaType", "base64" or "text"}}`
    private static func result(_ answer: [UInt8]) -> HostAnswer {
        let json = (try? JSONSlice.bytes(at: ["result"], in: answer, limits: limits)) ?? nil
        let content = (try? JSONValue(parsing: answer, limits: limits))?["content"]
        let bytes = content?["base64"]?.stringValue.flatMap { Data(base64Encoded: $0) }
        return .result(
            json: json ?? answer, bytes: bytes.map { Array($0) } ?? Array((content?["text"]?.stringValue ?? "").utf8))
    }
}
