internal import Glibc
internal import HostCore
internal import JSONBytes
internal import Registry
internal import Sandbox

/// Many plugins that do nothing, and whether each still answers. Whoever started this program measures their memory
/// between `ready` and the line that it sends.
struct Idle {
    let helper: String
    let bundle: PluginBundle

    func run(_ count: Int) async throws -> JSONObject {
        let launcher = try JailLauncher.start(helper: helper, mountRoots: [])
        defer { launcher.close() }
        let poller = try DescriptorPoller()
        let program = try SessionProbe.Program(bundle)
        let begin = nanoseconds()
        var probes: [SessionProbe] = []
        for _ in 0..<count { probes.append(try await SessionProbe.start(program, in: launcher, poller: poller)) }
        let started = nanoseconds() - begin
        print("ready \(launcher.processID)")
        fflush(nil)
        _ = readLine()
        var answered = 0
        let start = nanoseconds()
        for probe in probes {
            guard let answer = try? await probe.call("hello_greet", Array(#"{"name":"you"}"#.utf8)) else { continue }
            if String(decoding: answer.json, as: UTF8.self).contains("Hello, you!") { answered += 1 }
        }
        let time = nanoseconds() - start
        // They end with their launcher.
        return JSONObject([
            ("plugins", JSONValue(count)), ("answered", JSONValue(answered)), ("start", JSONValue(started)),
            ("call", JSONValue(time)),
        ])
    }
}
