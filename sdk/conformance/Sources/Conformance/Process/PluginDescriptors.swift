internal import CJail
internal import Glibc

/// The three connections of one plugin, both ends of each: file descriptor 3, stdout and stderr (abi-v1.md section 2).
struct PluginDescriptors {
    private(set) var kit: [Int32] = []
    private(set) var plugin: [Int32] = []

    init() throws(StartFailure) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Self.failure
        }
        add(ends)
        for _ in 0..<2 {
            guard cjail_pipe(&ends) == 0 else {
                closeAll()
                throw Self.failure
            }
            add(ends)
        }
        for descriptor in kit { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    }

    private static var failure: StartFailure {
        StartFailure(description: "no descriptors for the plugin: errno \(errno); raise `ulimit -n`")
    }

    private mutating func add(_ ends: [Int32]) {
        kit.append(ends[0])
        plugin.append(ends[1])
    }

    func closePluginEnds() { for descriptor in plugin { close(descriptor) } }
    func closeAll() { for descriptor in plugin + kit { close(descriptor) } }

    func started(_ program: any RunningProgram) -> StartedProgram {
        StartedProgram(program: program, channel: kit[0], output: kit[1], errors: kit[2])
    }
}
