// From what an admin granted to what the kernel will enforce. The jail knows nothing of permissions, this does. A pure
// function, so that the host and the kit that tests plugins put a plugin into the very same jail.
public import PluginABI
public import Sandbox

/// The jail that a manifest asks for.
public enum Confinement {
    /// Where a script's verified bytes are in its jail.
    static let script = "/plugin.pyz"

    /// - Parameters:
    ///   - instance: how messages and reports call this process.
    ///   - python: what this machine has for plugins in Python; see `PythonRuntime.find`.
    /// - Throws: `JailError` with `policy` where the machine lacks what the plugin runs in.
    public static func policy(
        for manifest: PluginManifest, instance: String, python: PythonRuntime?
    ) throws(JailError) -> JailPolicy {
        let limits = limits(manifest.permissions.resources)
        switch manifest.runtime {
        case .native:
            var policy = JailPolicy(
                name: instance, profile: "strict", program: .sealed, arguments: [manifest.name] + manifest.arguments,
                limits: limits)
            policy.profile = profile(policy.profile, for: manifest.permissions)
            return policy
        case .python:
            var policy = try self.python(
                named: manifest.name, arguments: manifest.arguments, limits: limits, on: python)
            policy.name = instance
            policy.profile = profile(policy.profile, for: manifest.permissions)
            return policy
        }
    }

    /// A plugin that is handed sockets of the host's network has a filter that holds them to being a stream.
    private static func profile(_ name: String, for permissions: Permissions) -> String {
        permissions.netConnect.isEmpty ? name : "\(name)-tcp"
    }

    /// The jail of any zip application: what a manifest does not say yet is as for a manifest that says nothing.
    public static func python(
        named name: String, arguments: [String], limits: JailLimits = .standard, on python: PythonRuntime?
    ) throws(JailError) -> JailPolicy {
        guard let python else {
            throw JailError(
                .policy,
                "\(name) is written in Python, and this machine has no usable \(PythonRuntime.interpreter); "
                    + "install it with apt-get install python3, then restart nexusd")
        }
        return JailPolicy(
            name: name, profile: "python", program: .script(interpreter: PythonRuntime.interpreter, script: script),
            // Isolated: no environment variables, no user site. No search for installed packages, which are not there;
            // it asks for the home folder too, and then the C library for a name service's socket. No bytecode.
            arguments: [PythonRuntime.interpreter, "-I", "-S", "-B", script] + arguments, mounts: python.mounts,
            limits: limits)
    }

    private static func limits(_ resources: Permissions.Resources) -> JailLimits {
        var limits = JailLimits.standard
        if let megabytes = resources.memoryMegabytes { limits.memoryBytes = UInt64(megabytes) << 20 }
        if let processes = resources.processes { limits.processes = UInt32(processes) }
        if let files = resources.openFiles { limits.openFiles = UInt32(max(files, 16)) }
        if let megabytes = resources.temporaryMegabytes {
            // Nothing but /tmp can be written.
            (limits.temporaryBytes, limits.fileBytes) = (UInt64(megabytes) << 20, UInt64(megabytes) << 20)
        }
        limits.cpuPercent = resources.cpuPercent.map { UInt32($0) }
        return limits
    }
}
