internal import JSONBytes
internal import PluginABI
public import Registry

/// An upgrade that is taken back if the new version fails.
struct Probation: Sendable {
    var old: InstalledPlugin
    var new: InstalledPlugin
    /// When it is over, in monotonic milliseconds.
    var over: UInt64
    /// Ends it.
    var end: Task<Void, Never>
}

extension Supervisor {
    /// Replaces a plugin by a new version while it is called. The new one is started beside the old one and must answer
    /// a ping; then new callers get it, and the old one finishes what it has. Should a process of the new version fail
    /// within the probation, the old one comes back by itself.
    ///
    /// - Throws: `unknownPlugin`, `conflict` while another upgrade of it goes on, what `PluginCatalog.install` throws,
    ///   and why the new version does not work; nothing has changed then.
    ///
    /// - Parameter probationMilliseconds: nil for what is configured.
    public func upgrade(
        _ bundle: PluginBundle, probationMilliseconds: UInt64? = nil
    ) async throws(HostError) {
        let name = bundle.manifest.name
        let probationMilliseconds = probationMilliseconds ?? self.probationMilliseconds(of: name)
        let old = try catalog.plugin(name)
        try checkForAnother(of: name)
        guard old.manifest.version != bundle.manifest.version else {
            throw HostError(
                .conflict,
                "\(name) is already \(old.manifest.version); give the new bundle a version of its own, or replace "
                    + "the plugin at once with `nexus plugin install`")
        }
        upgrading.insert(name)
        defer { upgrading.remove(name) }
        let staged = try catalog.stage(bundle)
        do throws(HostError) {
            try await passGate(staged.plugin)
            guard isInstalled(old) else { throw HostError.replaced(name) }
            try catalog.switchTo(staged, keepingMilliseconds: probationMilliseconds)
        } catch {
            perform(book.discard(staged.plugin))
            catalog.dropExecutable(staged.plugin.digest)
            throw HostError(
                error.code,
                "\(name) \(bundle.manifest.version) was not taken, \(old.manifest.version) stays: \(error.message); "
                    + "see `nexus plugin incidents \(name)` and `nexus plugin logs \(name)`",
                retryable: error.retryable, retryAfterMilliseconds: error.retryAfterMilliseconds)
        }
        perform(book.promote(staged.plugin, over: old))
        restarts.replaced(name)
        restarts.runs(name)
        begin(of: staged.plugin, over: old, probationMilliseconds)
        record("upgraded", from: old, to: staged.plugin)
    }

    private func checkForAnother(of name: String) throws(HostError) {
        let probation = probations[name]
        guard upgrading.contains(name) || probation != nil else { return }
        let why =
            probation.map { probation in
                let now = Clock.monotonicMilliseconds()
                let left = (probation.over - min(probation.over, now) + 999) / 1_000
                return "\(probation.new.manifest.version) is on probation for another \(left) s"
            } ?? "another is under way"
        throw HostError(
            .conflict,
            "an upgrade of \(name) is not over yet: \(why); wait for it, or replace the plugin at once with "
                + "`nexus plugin install`",
            retryable: true)
    }

    /// Goes on with the probations that the last host left, for what is left of them.
    func resumeProbations() throws(HostError) {
        for kept in try catalog.kept() {
            let name = kept.plugin.name
            guard kept.milliseconds > 0, let new = try? catalog.plugin(name) else {
                try catalog.settle(name)
                continue
            }
            begin(of: new, over: kept.plugin, kept.milliseconds)
        }
    }

    private func begin(of new: InstalledPlugin, over old: InstalledPlugin, _ milliseconds: UInt64) {
        probations[new.name] = Probation(
            old: old, new: new, over: Clock.monotonicMilliseconds() + milliseconds,
            end: probation(of: new, over: old, milliseconds))
    }

    private func passGate(_ plugin: InstalledPlugin) async throws(HostError) {
        let (member, actions) = book.stage(plugin, now: Clock.monotonicMilliseconds())
        perform(actions)
        guard let member else { throw Self.noRoom(plugin.name) }
        let instance = try await started(member).get()
        try await instance.session.ping(milliseconds: HostLimits.pongMilliseconds)
    }

    private func probation(
        of new: InstalledPlugin, over old: InstalledPlugin, _ milliseconds: UInt64
    ) -> Task<Void, Never> {
        Task { [weak self] in
            guard (try? await Task.sleep(for: .milliseconds(milliseconds))) != nil else { return }
            await self?.endProbation(of: new)
            // Whoever found the old version before the switch may still call it.
            let rest = HostLimits.callMilliseconds - min(milliseconds, HostLimits.callMilliseconds)
            guard (try? await Task.sleep(for: .milliseconds(rest))) != nil else { return }
            await self?.forget(old)
        }
    }

    private func endProbation(of new: InstalledPlugin) {
        guard probations[new.name]?.new.isSameVersion(as: new) == true else { return }
        probations[new.name] = nil
        try? catalog.settle(new.name)
    }

    private func forget(_ version: InstalledPlugin) {
        perform(book.discard(version))
        if (try? catalog.plugin(version.name))?.digest != version.digest { starter.forget(version) }
    }

    /// A process of this version failed. If it is new, the version before comes back. One that cannot be brought back,
    /// for a full disk, is at the next failure.
    ///
    /// - Parameter incident: nil where it could not be stored yet.
    func rollBackIfOnProbation(_ plugin: InstalledPlugin, _ cause: HostError, incident: Int64?) {
        guard let probation = probations[plugin.name], probation.new.isSameVersion(as: plugin) else { return }
        do throws(HostError) {
            try catalog.switchBack(from: probation.new, to: probation.old)
        } catch {
            starter.append("rollback-failed", plugin.name, [("cause", .string(error.message))])
            return
        }
        probations[plugin.name] = nil
        probation.end.cancel()
        perform(book.promote(probation.old, over: probation.new))
        let number = incident.map { "incident \($0)" } ?? "an incident"
        restarts.replaced(
            plugin.name,
            "\(probation.new.manifest.version) was taken back after \(number) (`nexus plugin incidents "
                + "\(plugin.name)`): \(cause.message)")
        startIfWanted(plugin.name)
        record("rolled-back", from: probation.new, to: probation.old, cause: cause, incident: incident)
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(HostLimits.callMilliseconds))
            await self?.forget(probation.new)
        }
    }

    private func record(
        _ event: String, from: InstalledPlugin, to: InstalledPlugin, cause: HostError? = nil, incident: Int64? = nil
    ) {
        starter.append(
            event, to.name,
            [
                ("from", .string(from.manifest.version)), ("version", .string(to.manifest.version)),
                ("digest", .string("sha256:" + to.digest)),
            ] + (cause.map { [("cause", .string($0.message))] } ?? [])
                + (incident.map { [("incident", .string("\($0)"))] } ?? []))
    }
}
