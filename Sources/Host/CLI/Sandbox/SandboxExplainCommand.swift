internal import ArgumentParser
internal import Confinement
internal import Foundation
internal import HostAPI
internal import JSONBytes
internal import PluginABI
internal import Registry
internal import Sandbox

/// `nexus sandbox explain PLUGIN [--diff OTHER]`
struct SandboxExplainCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show a plugin's jail: files, network, limits, every system call.",
        discussion: """
            PLUGIN is a path (with a / in it, or ending in .nexus) of a plugin's directory or bundle, or the name of \
            an installed plugin; only a name needs a host. \
            With --diff it shows what the other one, say the next version, gains and loses.
            """)

    @OptionGroup var host: HostOptions

    @Argument(help: "A directory, a bundle, or the name of an installed plugin.")
    var plugin: String

    @Option(help: ArgumentHelp("Show what this one has more, less or other.", valueName: "plugin"))
    var diff: String?

    func perform() async throws {
        var explanation = try await explain(plugin)
        guard let diff else {
            explanation.sections.append(CgroupPlacement.ofThisMachine().explanation)
            return host.output.show(explanation.json) { _ in host.output.line(printable(explanation.text)) }
        }
        let difference = ExplanationDifference(from: explanation, to: try await explain(diff))
        host.output.show(difference.json) { _ in host.output.line(printable(difference.text)) }
    }

    private func printable(_ text: String) -> String {
        text.split(separator: "\n").map { String($0).printable }.joined(separator: "\n")
    }

    private func explain(_ plugin: String) async throws -> Explanation {
        let manifest = try await manifest(plugin)
        do throws(JailError) {
            var offer = HostOffer.nexus
            offer.boundsProcessorTime = CgroupPlacement.ofThisMachine().boundsProcessorTime
            return try PluginExplanation.explain(manifest, python: PythonRuntime.find(), offer: offer)
        } catch {
            throw CommandFailure(error.message)
        }
    }

    private func manifest(_ plugin: String) async throws -> PluginManifest {
        guard plugin.contains("/") || plugin.hasSuffix(".nexus") || plugin == "." else {
            return try await installed(plugin)
        }
        guard FileManager.default.fileExists(atPath: plugin) else {
            throw CommandFailure(
                "\(plugin.printable): no such file or directory; a name without / is an installed plugin")
        }
        do throws(RegistryError) {
            return try PluginBundle.load(plugin).manifest
        } catch {
            throw CommandFailure(error.message)
        }
    }

    /// From what the host shows of it. What decides about the jail is all there.
    private func installed(_ name: String) async throws -> PluginManifest {
        let shown = try await host.client.json(.get, APIPath.plugin(name))
        var permissions = shown["permissions"]?.objectValue ?? JSONObject()
        permissions["http.fetch"] = permissions["http.fetch"]?.arrayValue.map { rules in
            .array(
                rules.map { rule in
                    var rule = rule.objectValue ?? JSONObject()
                    rule["override"] = nil
                    return .object(rule)
                })
        }
        let members: [(key: String, value: JSONValue)] = [
            ("manifest", .number(JSONNumber(1))), ("name", shown["name"] ?? .null),
            ("version", shown["version"] ?? .null), ("kind", shown["kind"] ?? .null),
            ("description", shown["description"] ?? .null),
            ("abi", ["min": .number(JSONNumber(1)), "max": .number(JSONNumber(1))]),
            (
                "runtime",
                [
                    "type": shown["runtime"] ?? .null, "executable": "installed",
                    "arguments": shown["arguments"] ?? .array([]),
                ]
            ),
            ("permissions", .object(permissions)), ("tools", .array(shown.list("tools").map(Self.tool))),
        ]
        do throws(ManifestError) {
            return try PluginManifest(parsing: Array(JSONValue.object(JSONObject(members)).text.utf8))
        } catch {
            throw CommandFailure("the host shows \(name) in a way that this program does not know: \(error)")
        }
    }

    private static func tool(_ tool: JSONValue) -> JSONValue {
        [
            "name": tool["name"] ?? .null, "description": tool["description"] ?? .null,
            "inputSchema": ["type": "object"], "credentials": tool["credentials"] ?? .array([]),
        ]
    }
}
