// Input: a plugin.json.
internal import Findings
internal import PluginABI

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(FuzzInput(start, count).rest)
    withBoundedAllocations(input: count, perByte: 2_048) {
        do throws(ManifestError) {
            holds(try PluginManifest(parsing: bytes))
        } catch {
            insist(!error.field.isEmpty && !error.reason.isEmpty, "an error without a field or a reason")
        }
    }
    return 0
}

/// What the rest of the host builds paths, policies and tables from.
private func holds(_ manifest: PluginManifest) {
    insist((1...ABILimits.nameBytes).contains(manifest.name.utf8.count), "the name \(manifest.name)")
    insist(!manifest.name.utf8.contains(UInt8(ascii: "/")), "the name \(manifest.name)")
    insist(!manifest.version.utf8.contains(UInt8(ascii: "/")), "the version \(manifest.version)")
    insist(manifest.abi.minimum >= 1 && manifest.abi.minimum <= manifest.abi.maximum, "the range \(manifest.abi)")
    let steps = manifest.executable.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let leaves = steps.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
    insist(!leaves && !manifest.executable.utf8.contains(0), "the executable \(manifest.executable)")
    insist(Set(manifest.tools.map(\.name)).count == manifest.tools.count, "two tools of one name")
    let declared = Set(manifest.permissions.credentials.map(\.name))
    insist(manifest.tools.allSatisfy { declared.isSuperset(of: $0.credentials) }, "an undeclared credential")
    plantedBug(manifest)
}

/// Found in under a minute, or the fuzzing is worth nothing: `Tests/Fuzz/run --self-check`.
private func plantedBug(_ manifest: PluginManifest) {
    #if PLANTED_BUG
        insist(!manifest.summary.utf8.contains { (0x23...0x26).contains($0) }, "the planted bug")
    #endif
}
