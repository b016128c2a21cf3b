/// Section 2: what a plugin finds when it wakes up, and what becomes of it when it goes.
extension HostCheck {
    private static let group = "process"

    static let process: [HostCheck] = [
        HostCheck("ABI-2.1", "descriptor 3 is a stream socket, and nothing but 0 to 3 is open", group: group) { stage in
            let seen = try await stage.look()
            try stage.expect(
                seen.isUnixStream, "descriptor 3 is not a connected AF_UNIX stream socket",
                fix: "give the plugin one end of socketpair(AF_UNIX, SOCK_STREAM) as 3")
            try stage.expect(
                Set(seen.descriptors.keys) == [0, 1, 2, 3],
                "open in the plugin: \(seen.descriptors.keys.sorted())", fix: "close every other descriptor")
        },
        HostCheck("ABI-2.2", "descriptor 0 is empty", group: group) { stage in
            let seen = try await stage.look()
            try stage.expect(
                seen.input == "empty", "reading descriptor 0 gives: \(seen.input)", fix: "open /dev/null as 0")
        },
        HostCheck("ABI-2.2", "what is written to 1 and 2 is no protocol", group: group, ["act: say=1 ok"]) { stage in
            _ = try await stage.result("act")
            try await stage.expectAlive("a call after writing to standard error")
        },
        HostCheck("ABI-2.3", "the arguments are those of the manifest", group: group, ["act: ok", "then: ok"]) {
            stage in
            let seen = try await stage.look()
            try stage.expect(
                Array(seen.arguments.dropFirst()) == stage.arguments && seen.arguments.first?.isEmpty == false,
                "the plugin got \(seen.arguments)", fix: "pass a name and then runtime.arguments, nothing else")
        },
        HostCheck("ABI-2.4", "the environment holds no reserved name", group: group) { stage in
            let names = try await stage.look().environment.filter { $0.hasPrefix("NEXUS_") }
            try stage.expect(names.isEmpty, "the environment has \(names)", fix: "build it from nothing")
        },
        HostCheck("ABI-2.4", "the host's own environment stays with the host", group: group) { stage in
            let names = Set(try await stage.look().environment)
            let own = names.intersection([
                "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "MAIL", "OLDPWD",
            ])
            try stage.expect(own.isEmpty, "the environment has \(own.sorted())", fix: "build it from nothing")
        },
        HostCheck("ABI-2.5", "the working directory exists and /tmp takes a file", group: group) { stage in
            let seen = try await stage.look()
            try stage.expect(seen.hasFolder, "getcwd fails", fix: "start the plugin in a directory that exists")
            try stage.expect(seen.canWriteScratch, "/tmp takes no file", fix: "give the plugin a /tmp of its own")
        },
        dies("exits with 3 in a call", ["act: exit=3"]),
        dies("exits with 0 in a call", ["act: exit=0"]),
        dies("is killed by a signal in a call", ["act: kill=9"]),
        dies("closes its socket in a call", ["act: close hang"]),
        HostCheck(
            "ABI-2.8", "every open call is answered when the plugin goes", group: group,
            ["act: hold", "then: wait=100 exit=3"], isConcurrent: true
        ) { stage in
            async let first = stage.call("act")
            async let second = stage.call("act")
            await stage.pause(200)
            let answers = [await stage.call("then"), await first, await second]
            for answer in answers {
                guard case .failure("plugin-failed", _, _) = answer else {
                    throw HostFinding.failed(
                        "an open call was answered with \(answer)", fix: "answer each with plugin-failed")
                }
            }
        },
        diesEarly("before hello", ["begin: exit=3"]), diesEarly("at initialize", ["initialize: exit=3"]),
        diesEarly("at start", ["start: kill=11"]),
        HostCheck(
            "ABI-2.9", "children die with the plugin", group: group, ["initialize: fork initialized", "act: exit=0"]
        ) { stage in
            _ = await stage.start()
            try stage.expectVisible()
            guard stage.processes() > 1 else { throw HostFinding.skipped("the jail lets the plugin have no child") }
            _ = await stage.call("act")
            try await stage.expectGone()
        },
    ]

    private static func dies(_ how: String, _ steps: [String]) -> HostCheck {
        HostCheck("ABI-2.8", "a plugin that \(how): its caller knows within a second", group: group, steps) { stage in
            try await stage.expectRunning()
            try await stage.expectEnd(within: 1)
        }
    }

    private static func diesEarly(_ when: String, _ steps: [String]) -> HostCheck {
        HostCheck("ABI-2.8", "a plugin that ends \(when) has failed at once", group: group, steps) { stage in
            try await stage.expectFailedStart()
        }
    }
}
