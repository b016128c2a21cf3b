internal import JSONBytes
internal import PluginABI

extension Supervisor {
    /// Reads the home's nexus.json again, writes to the audit log what changes, and applies it. No process is
    /// restarted: every setting is a number that holds from now on. What is more than the new numbers allow goes when
    /// it has answered its calls.
    ///
    /// - Parameter actor: on whose wish, for the audit log.
    /// - Throws: what `ConfigurationFile.read` throws, and `auditFailed`; the configuration is the old one then.
    @discardableResult
    public func reload(_ home: Home, by actor: String) throws(HostError) -> ConfigurationChange {
        let file = try ConfigurationFile.read(home)
        let change = ConfigurationChange(
            from: book.configuration, to: file.configuration, installed: Set(catalog.list().map(\.name)))
        try starter.recordConfiguration(change, sha256: file.sha256, by: actor)
        perform(book.configure(file.configuration, now: Clock.monotonicMilliseconds()))
        return change
    }

    /// How long a new version of this plugin is watched, unless its upgrade says otherwise.
    public func probationMilliseconds(of name: String) -> UInt64 {
        book.configuration.plugins[name]?.probationSeconds.map { UInt64($0) * 1_000 }
            ?? HostLimits.probationMilliseconds
    }
}
