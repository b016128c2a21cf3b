internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import PluginABI
internal import Registry

/// The loop of `nexus dev`, and what it holds from one round to the next.
struct DevSession {
    private var project: PluginProject
    private let build: String?
    private let says: DevOutput
    private var host: DevHost
    private var tail: PluginTail
    private var seen: SourceWatch
    private var shown: PluginBundle?
    /// The plugin that this installed, and may remove.
    private var installed: String?
    private var complaint: String?

    private var round: DevRound { DevRound(project: project, command: build, says: says) }

    init(project: PluginProject, home: String?, build: String?, says: DevOutput) {
        self.project = project
        self.says = says
        self.build = build
        host = DevHost(project: project, wish: home)
        tail = PluginTail(client: host.client, plugin: project.name)
        seen = SourceWatch(project.directory, products: [project.program])
    }

    mutating func once() async throws {
        try await goRound()
        try await Task.sleep(for: .milliseconds(300))
        await follow()
        if let complaint { throw CommandFailure(complaint) }
    }

    /// Until Ctrl-C. A round that fails leaves running what ran before.
    mutating func watch() async {
        await tryRound()
        var ticks = 0
        while !Interrupt.isSet {
            try? await Task.sleep(for: .milliseconds(100))
            ticks += 1
            if ticks % 3 == 0, shown != nil { await follow() }
            if ticks % 5 == 0, let changed = await changes() {
                says.note("changed", "changed: \(changed.prefix(5).joined(separator: ", "))")
                await tryRound()
            }
        }
    }

    mutating func end() async {
        await host.stop()
        if Interrupt.isSet { says.note("stopped", "stopped") }
    }

    /// Files that changed and have come to rest: an editor may write several.
    private mutating func changes() async -> [String]? {
        var now = SourceWatch(project.directory, products: [project.program])
        guard now != seen else { return nil }
        while true {
            try? await Task.sleep(for: .milliseconds(150))
            let later = SourceWatch(project.directory, products: [project.program])
            if later == now || Interrupt.isSet { break }
            now = later
        }
        let changed = now.changes(since: seen)
        return changed.isEmpty ? nil : changed
    }

    private mutating func tryRound() async {
        do {
            try await goRound()
        } catch let failure as BuildFailure {
            says.words(failure.tail)
            complain(failure.message)
        } catch let failure as CommandFailure {
            complain(failure.message)
        } catch {
            if !Interrupt.isSet { complain("\(error)") }
        }
    }

    private func complain(_ message: String) {
        says.failed(message)
        let old = shown == nil ? "" : "; what ran before goes on"
        says.note("waiting", "waiting for a change\(old)")
    }

    private mutating func goRound() async throws {
        seen = SourceWatch(project.directory, products: [project.program])
        // plugin.json is written by the round itself.
        defer { seen.accept("plugin.json", from: SourceWatch(project.directory)) }
        // It may name another plugin or program than the last time.
        project = try PluginProject(directory: project.directory)
        let bundle = try await round.build()
        guard bundle.executable != shown?.executable || bundle.manifestBytes != shown?.manifestBytes
        else {
            return says.note("same", "the same program as before; it goes on running")
        }
        switch try await host.start() {
        case .started: says.note("host", "started a host in \(ProjectPath.shown(host.home))")
        case .leftBehind:
            says.note("host", "took over the host in \(ProjectPath.shown(host.home)) that was left behind")
        case .runs: break
        }
        await takePlace()
        if bundle.manifest.permissions != shown?.manifest.permissions {
            if !says.output.isJSON {
                PermissionText(output: says.output).show(PermissionText.json(bundle.manifest))
            }
            says.note(
                "granted", "granted without asking: this host is for development on your own machine")
        }
        let before = shown
        try await round.run(bundle, on: host.client)
        shown = bundle
        if bundle.manifest.tools != before?.manifest.tools { round.showTools(bundle, home: host.home) }
    }

    /// Removes what was installed under another name: that has the tools which this one brings.
    private mutating func takePlace() async {
        let before = installed ?? host.installed
        if let before, before != project.name {
            _ = try? await host.client.json(.delete, APIPath.plugin(before))
            says.note("removed", "removed \(before): plugin.json calls it \(project.name) now")
            shown = nil
        }
        if tail.plugin != project.name { tail = PluginTail(client: host.client, plugin: project.name) }
        if before != project.name {
            // Not ours to remove if it was there before.
            let isNew = (try? await host.client.json(.get, APIPath.plugin(project.name))) == nil
            installed = isNew ? project.name : nil
            host.installed = installed
        }
        if shown == nil { await tail.skip() }
    }

    /// New lines of the log, and why an instance failed.
    private mutating func follow() async {
        do {
            for line in try await tail.lines() { says.log(line) }
            if let cause = try await tail.failure() {
                says.failed("\(tail.plugin) failed: \(cause)")
                complaint = cause
            }
        } catch let failure as CommandFailure {
            if complaint != failure.message { says.failed(failure.message) }
            complaint = failure.message
        } catch {
            // Interrupted; the loop sees it.
        }
    }
}
