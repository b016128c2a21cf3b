import Foundation
import JSONBytes
import PluginABI
import Testing

@testable import Conformance

struct HostScenarioTests {
    @Test func everyCheckHasARequirementOfTheSpecification() throws {
        let spec = HostControl.folder.deletingLastPathComponent().appendingPathComponent("spec/abi-v1.md")
        let text = try String(contentsOf: spec, encoding: .utf8)
        for check in HostCheck.all { #expect(text.contains("**\(check.requirement)**"), "\(check.title)") }
    }

    @Test func noTwoChecksHaveTheSameName() {
        let names = HostCheck.all.map { "\($0.requirement) \($0.title)" }
        #expect(Set(names).count == names.count)
    }

    @Test func everyArgumentFitsAManifest() {
        for check in HostCheck.all {
            #expect(check.steps.allSatisfy { (1...1_000).contains($0.count) }, "\(check.title)")
        }
    }

    @Test func aScenarioIsWrittenAsAPluginWithItsScript() throws {
        let check = try #require(HostCheck.all.first { $0.hasNeighbour })
        let folder = try HostFiles.makeTemporaryFolder()
        defer { HostFiles.removeFolder(folder) }
        let plugins = try HostScenario(check, number: 1, run: "r").write(to: folder, probe: [0x7F])
        #expect(plugins.map(\.name) == ["probe-1-r", "probe-1-r-other"])
        let manifest = try JSONValue(parsing: HostFiles.read("\(folder)/probe-1-r/plugin.json"))
        #expect(manifest["runtime"]?["arguments"] == JSONValue(["probe-1-r"] + check.steps))
        #expect(HostFiles.read("\(folder)/probe-1-r/bin/probe") == [0x7F])
    }

    @Test func aReportIsReadAsTheProbeWritesIt() throws {
        let json = """
            {"argv":["p","n"],"environment":["A"],"descriptors":[{"fd":3,"type":"socket"}],"input":"empty",
            "socket":{"family":1,"type":1},"cwd":true,"tmp":false,"terminated":false,"secretsSeen":["environment"],
            "now":9,"frames":[{"at":7,"kind":32,"stream":"18446744073709551615","bytes":20,"whole":true,
            "fields":[[3,8,"0102000000000000"],[1,2,"6869"]],"credentials":[["key",6]]}]}
            """
        let report = try #require(ProbeReport(Array(json.utf8)))
        let frame = try #require(report.frames(.call).first)
        #expect(frame.stream == .max && frame.number(3) == 513 && frame.text(1) == "hi" && frame.credentials == ["key"])
        #expect(report.isUnixStream && report.hasFolder && !report.canWriteScratch)
        #expect(report.secretsSeen == ["environment"] && report.descriptors == [3: "socket"])
    }

    @Test func whatIsNoReportIsNone() {
        #expect(ProbeReport(Array("{}".utf8)) == nil)
        #expect(ProbeReport(Array("{\"frames\":".utf8)) == nil)
    }
}
