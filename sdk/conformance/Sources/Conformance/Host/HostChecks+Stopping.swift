internal import PluginABI

/// Sections 6.2: stop, dispose, and then the process.
extension HostCheck {
    static let stopping: [HostCheck] = [
        HostCheck(
            "ABI-6.4", "stop lets a call in flight end", group: "stopping", ["act: until=20 wait=300 ok"]
        ) { stage in
            try await stage.expectRunning()
            async let running = stage.call("act")
            await stage.pause(200)
            await stage.host.stop(stage.plugin.name)
            guard case .result(let json, _) = await running, json.elementsEqual("{}".utf8) else {
                throw HostFinding.failed(
                    "the call in flight was cut off", fix: "wait for open calls between stop and its deadline")
            }
            let state = await stage.state()
            try stage.expect(
                state.state == "stopped", "the plugin is \(state.state): \(state.cause)", fix: "a stop is a good end")
            try await stage.expectGone()
        },
        HostCheck(
            "ABI-6.2", "the deadline of stop is absolute and within 10 s", group: "stopping", ["act: until=20 report"]
        ) { stage in
            try await stage.expectRunning()
            async let running = stage.call("act")
            await stage.pause(200)
            await stage.host.stop(stage.plugin.name)
            guard case .result(let json, _) = await running, let stop = ProbeReport(json)?.frames(.stop).first else {
                throw HostFinding.failed(
                    "the call in flight was cut off, or no stop came", fix: "send stop, and let calls end")
            }
            let ahead = Int64(bitPattern: (stop.number(1) ?? 0) &- stop.at)
            try stage.expect((0...10_050).contains(ahead), "it is \(ahead) ms away", fix: "set it within 10 s from now")
        },
        HostCheck(
            "ABI-6.1", "after stopped comes dispose, and after disposed the end", group: "stopping",
            ["stop: wait=50 stopped", "dispose: say=4242 disposed exit=0"], needs: [.log]
        ) { stage in
            try await stage.expectRunning()
            await stage.host.stop(stage.plugin.name)
            let log = await stage.log(with: "probe: mark 4242")
            let state = await stage.state()
            try stage.expect(
                log.contains { $0.contains("probe: mark 4242") },
                "no dispose came before the end: \(log.suffix(3))",
                fix: "send dispose once the plugin has stopped, and give it its 5 s")
            try stage.expect(state.state == "stopped", "the plugin is \(state.state)", fix: "a stop is a good end")
        },
        killed("ignores stop", ["stop: hang"], within: 13), killed("ignores dispose", ["dispose: hang"], within: 9),
        killed("stays after disposed", ["dispose: disposed hang"], within: 9),
        killed("ignores SIGTERM and end of file", ["stop: stopped close hang"], within: 13),
        HostCheck(
            "ABI-6.5", "a plugin that goes on after a refused frame is killed", group: "stopping",
            ["act: fork hex=\(HostBytes.header(length: 0, kind: 99)) hang"]
        ) { stage in
            try await stage.expectRunning()
            try stage.expectVisible()
            try await stage.expectEnd()
        },
        HostCheck(
            "ABI-6.4", "a call that does not end by the deadline of stop is answered", group: "stopping",
            ["act: hang"]
        ) { stage in
            try await stage.expectRunning()
            async let running = stage.call("act")
            await stage.pause(200)
            let began = ContinuousClock.now
            await stage.host.stop(stage.plugin.name)
            guard case .failure = await running else {
                throw HostFinding.failed("it has a result", fix: "answer with an error")
            }
            let took = (ContinuousClock.now - began) / .seconds(1)
            try stage.expect(
                took < 13 * stage.slack, "the stop took \(Int(took)) s", fix: "kill when the deadline has passed")
            try await stage.expectGone()
        },
    ]

    private static func killed(_ what: String, _ steps: [String], within seconds: Double) -> HostCheck {
        HostCheck("ABI-6.5", "a plugin that \(what) is killed", group: "stopping", steps) { stage in
            try await stage.expectRunning()
            try stage.expectVisible()
            let began = ContinuousClock.now
            await stage.host.stop(stage.plugin.name)
            let took = (ContinuousClock.now - began) / .seconds(1)
            try stage.expect(
                took < seconds * stage.slack, "the stop took \(Int(took)) s", fix: "kill when the deadline has passed")
            try await stage.expectGone()
        }
    }
}
