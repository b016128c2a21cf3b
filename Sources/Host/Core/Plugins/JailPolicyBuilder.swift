internal import PluginABI
internal import Sandbox

/// From what an admin granted to what the kernel will enforce. The jail knows nothing of permissions, this does.
enum JailPolicyBuilder {
    static func policy(for plugin: InstalledPlugin, instance: String) -> JailPolicy {
        let resources = plugin.manifest.permissions.resources
        var limits = JailLimits.standard
        if let megabytes = resources.memoryMegabytes { limits.memoryBytes = UInt64(megabytes) << 20 }
        if let processes = resources.processes { limits.processes = UInt32(processes) }
        if let files = resources.openFiles { limits.openFiles = UInt32(max(files, 16)) }
        return JailPolicy(
            name: instance, profile: "strict", program: .sealed,
            arguments: [plugin.name] + plugin.manifest.arguments, limits: limits)
    }
}
