import JSONBytes
import SpecVectors
import Testing

@testable import PluginABI

@Suite struct HostOfferTests {
    private func everything() throws -> PluginManifest {
        let vector = try #require(try ManifestSamples.vector("everything-at-once"))
        return try PluginManifest(parsing: #require(vector["manifest"]).encoded())
    }

    @Test func whatTodaysHostCannotEnforceIsNamedFieldByField() throws {
        #expect(
            try everything().unsupported(by: .nexus).map(\.description) == [
                "permissions.filesystem[0]: this host cannot grant read access to /srv/data "
                    + "and hold the plugin to it yet; nothing is granted instead",
                "permissions.filesystem[1]: this host cannot grant write access to /srv/out "
                    + "and hold the plugin to it yet; nothing is granted instead",
            ])
    }

    @Test func aPluginWithinTheOfferIsSupported() throws {
        var manifest = try PluginManifest(parsing: Array(ManifestSamples.good.utf8))
        #expect(manifest.unsupported(by: .nexus) == [])
        manifest.runtime = .python
        manifest.permissions.keyValue = Permissions.KeyValue(megabytes: 1, reason: "r")
        manifest.permissions.resources.cpuPercent = 50
        #expect(manifest.unsupported(by: .nexus) == [])
    }

    @Test func kindsThatTheHostDoesNotRunAreRefused() throws {
        var manifest = try PluginManifest(parsing: Array(ManifestSamples.good.utf8))
        for kind in PluginManifest.Kind.allCases where kind != .tool {
            manifest.kind = kind
            #expect(
                manifest.unsupported(by: .nexus).map(\.description) == [
                    "kind: this host does not run \(kind.rawValue) plugins yet; it runs: tool"
                ])
        }
    }

    @Test func isolationThatAHostCannotGiveIsRefused() throws {
        var manifest = try PluginManifest(parsing: Array(ManifestSamples.good.utf8))
        var host = HostOffer.nexus
        host.isolations = [.shared]
        for (isolation, who) in [(PluginManifest.Isolation.perUser, "users"), (.perCall, "calls")] {
            manifest.isolation = isolation
            #expect(manifest.unsupported(by: .nexus) == [])
            #expect(
                manifest.unsupported(by: host).map(\.description) == [
                    "isolation: this host cannot keep \(who) apart in processes of their own "
                        + "(\"\(isolation.rawValue)\") yet; it offers: shared"
                ])
        }
    }

    @Test func anABIThatTheHostDoesNotSpeakIsRefusedWithTheSideToUpdate() throws {
        var manifest = try PluginManifest(parsing: Array(ManifestSamples.good.utf8))
        manifest.abi = VersionRange(2, 3)
        #expect(
            manifest.unsupported(by: .nexus).map(\.description) == [
                "abi: this host speaks ABI 1, the plugin ABI 2–3; update Nexus"
            ])
        var host = HostOffer.nexus
        host.abi = VersionRange(4, 5)
        #expect(
            manifest.unsupported(by: host).map(\.reason) == [
                "this host speaks ABI 4–5, the plugin ABI 2–3; update the plugin"
            ])
    }

    @Test func aHostThatOffersNothingGrantsNothing() throws {
        let nothing = HostOffer(
            permissions: [], kinds: [], runtimes: [], isolations: [], abi: .supported, boundsProcessorTime: false)
        let fields = try everything().unsupported(by: nothing).map(\.field)
        #expect(
            fields == [
                "kind", "runtime.type", "isolation", "permissions.http.fetch[0]", "permissions.http.fetch[1]",
                "permissions.net.connect[0]", "permissions.net.connect[1]", "permissions.filesystem[0]",
                "permissions.filesystem[1]", "permissions.kv", "permissions.credentials[0]",
                "permissions.credentials[1]", "permissions.resources",
            ])
    }

    @Test func processorTimeIsSaidToBeUnbounded() throws {
        var manifest = try everything()
        #expect(
            manifest.unbounded(by: .nexus).map(\.description) == [
                "permissions.resources.cpuPercent: processor time is not bounded on this host "
                    + "(it has no delegated cgroup); 50 % is what the plugin says that it needs"
            ])
        var host = HostOffer.nexus
        host.boundsProcessorTime = true
        #expect(manifest.unbounded(by: host) == [])
        manifest.permissions.resources.cpuPercent = nil
        #expect(manifest.unbounded(by: .nexus) == [])
    }
}
