/// An upgrade that may still be taken back.
struct Probation: Sendable {
    var old: InstalledPlugin
    var new: InstalledPlugin
    /// Makes it final.
    var end: Task<Void, Never>
}

extension Supervisor {
    func rollBackIfOnProbation(_ plugin: InstalledPlugin, _ cause: HostError) {}
}
