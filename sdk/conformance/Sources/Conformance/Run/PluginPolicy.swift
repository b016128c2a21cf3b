internal import Confinement
internal import PluginABI
internal import Sandbox

/// From plugin.json to the jail that nexusd would build for it.
enum PluginPolicy {
    /// - Throws: `JailError` when this machine lacks what the plugin runs in.
    static func policy(for manifest: PluginManifest) throws(JailError) -> (policy: JailPolicy, mountRoots: [String]) {
        let python = PythonRuntime.find()
        return (
            try Confinement.policy(for: manifest, instance: manifest.name, python: python), python?.mountRoots ?? []
        )
    }
}
