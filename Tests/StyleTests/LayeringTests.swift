import Testing

struct LayeringTests {
    @Test(arguments: Layer.all.map(\.module))
    func moduleImportsOnlyWhatItsLayerAllows(module: String) throws {
        let layer = try #require(Layer.all.first { $0.module == module })
        #expect(!layer.files.isEmpty, "\(layer.folder) holds no Swift file")
        let allowed = layer.modules.union(layer.outside)
        for file in layer.files {
            for name in Layer.imports(of: file) where !allowed.contains(name) {
                Issue.record("\(file.path) imports \(name); \(module) may import \(allowed.sorted())")
            }
        }
    }

    @Test func wallsThatMustNeverFallAreNotInTheTable() {
        for wall in Layer.never {
            let layer = Layer.all.first { $0.module == wall.module }
            let holes = layer.map { $0.modules.union($0.outside).intersection(wall.imported) } ?? ["no such module"]
            #expect(holes.isEmpty, "\(wall.module) → \(holes.sorted()): \(wall.why)")
        }
    }

    @Test func everySwiftFileBelongsToALayer() {
        // Projects of an author to be, and packages, are not modules of this one.
        for file in SourceTree.files("swift", in: ["Sources", "sdk", "Plugins"])
        where file.name != "Package.swift" && !file.isIn(["sdk/templates"]) {
            #expect(Layer.all.contains { file.isIn([$0.folder]) }, "\(file.path) is in no layer of Layering.swift")
        }
    }

    /// nexus-jail holds root where there is root: libc, the kernel's headers and its own, and small enough to read.
    @Test func jailHelperIncludesOnlyTheKernelsHeadersAndItsOwn() {
        let own: Set<String> = ["jail.h", "kernel.h", "../CJail/include/plan_format.h"]
        let kernel = ["linux/", "sys/"]
        let libc: Set<String> = [
            "errno.h", "fcntl.h", "poll.h", "sched.h", "signal.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h",
            "stdlib.h", "string.h", "unistd.h", "grp.h", "limits.h", "dirent.h", "time.h",
        ]
        var lines = 0
        for file in SourceTree.files("c", "h", in: ["Sources/Sandbox/JailHelper"]) {
            lines += file.lines.count
            for line in file.lines where line.hasPrefix("#include") {
                let name = line.split(whereSeparator: { "<>\"".contains($0) }).dropFirst().first.map(String.init) ?? ""
                let isAllowed = own.contains(name) || libc.contains(name) || kernel.contains { name.hasPrefix($0) }
                #expect(isAllowed, "\(file.path) includes \(name)")
            }
        }
        #expect((1...1_800).contains(lines), "nexus-jail has \(lines) lines; the limit is 1800")
    }
}
