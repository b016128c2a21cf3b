import PluginABI
import Testing

@Suite struct ManifestLimitsTests {
    /// Those of a bundle's files are held to the document by the tests of the module that reads them.
    private static let ofBundles = ["executableFileBytes", "documentFileBytes", "bundleBytes"]

    private func range(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) to \(range.upperBound)" }

    @Test func theLimitsTableIsTheCode() throws {
        typealias Limits = ManifestLimits
        let code: [(String, String)] = [
            ("manifestBytes", "\(Limits.manifestBytes)"), ("manifestDepth", "\(Limits.manifestDepth)"),
            ("manifestValues", "\(Limits.manifestValues)"), ("name", "\(Limits.name)"),
            ("version", "\(Limits.version)"), ("description", "\(Limits.description)"), ("label", "\(Limits.label)"),
            ("homepage", "\(Limits.homepage)"), ("executableBytes", "\(Limits.executableBytes)"),
            ("arguments", "\(Limits.arguments)"), ("argument", "\(Limits.argument)"), ("reason", "\(Limits.reason)"),
            ("originCharacters", "\(Limits.originCharacters)"), ("path", "\(Limits.path)"),
            ("methodsAndPaths", "\(Limits.methodsAndPaths)"), ("sealedUses", "\(Limits.sealedUses)"),
            ("signatureParts", "\(Limits.signatureParts)"), ("permissionEntries", "\(Limits.permissionEntries)"),
            ("tools", "\(Limits.tools)"), ("toolDescription", "\(Limits.toolDescription)"),
            ("mediaTypeBytes", "\(Limits.mediaTypeBytes)"), ("schemaDepth", "\(Limits.schemaDepth)"),
            ("credentialsPerCall", "\(ABILimits.credentialsPerCall)"), ("abiVersion", range(1...Limits.abiVersion)),
            ("concurrency", range(1...Limits.concurrency)), ("keyValueMegabytes", range(1...Limits.keyValueMegabytes)),
            ("memoryMegabytes", range(Limits.memoryMegabytes)), ("processes", range(Limits.processes)),
            ("openFiles", range(Limits.openFiles)), ("cpuPercent", range(Limits.cpuPercent)),
            ("temporaryMegabytes", range(Limits.temporaryMegabytes)),
        ]
        let rows = try ManifestSpecificationTests.table("Name | Limit").filter { !Self.ofBundles.contains($0[0]) }
        #expect(rows.map { $0[0] } == code.map(\.0))
        #expect(rows.map { $0[1].filter { $0 != "," } } == code.map(\.1))
    }

    @Test func limitsFitIntoEachOther() {
        #expect(ManifestLimits.executableBytes <= 100, "the name field of a ustar header")
        #expect(ManifestLimits.argument * ManifestLimits.arguments < ManifestLimits.manifestBytes)
        #expect(ManifestLimits.schemaDepth < ManifestLimits.manifestDepth)
        #expect(ManifestLimits.name <= ABILimits.nameBytes)
        #expect(ABILimits.credentialsPerCall <= ManifestLimits.permissionEntries)
    }
}
