import PluginABI
import Testing

@testable import HostCore

@Suite struct HostConfigurationTests {
    private func parse(_ text: String) throws(HostError) -> HostConfiguration {
        try HostConfiguration(parsing: Array(text.utf8))
    }

    @Test func whatIsAbsentIsStandard() throws {
        #expect(try parse("{}") == .standard)
        #expect(try parse(#"{"budget":{},"plugins":{}}"#) == .standard)
        #expect(try parse(#"{"budget":{"processes":7}}"#).budget.memoryBytes == HostBudget.standard.memoryBytes)
        #expect(HostConfiguration.standard.budget == .standard && HostConfiguration.standard.plugins.isEmpty)
    }

    @Test func everyFieldIsTaken() throws {
        let read = try parse(
            #"""
            {"budget": {"processes": 65, "memoryMegabytes": 100},
             "plugins": {"crypto-bot": {"warm": 3, "instances": 17, "idleSeconds": 301, "queued": 66,
                                        "probationSeconds": 61}}}
            """#)
        #expect(read.budget == HostBudget(processes: 65, memoryBytes: 100 << 20))
        var settings = PluginSettings()
        (settings.warm, settings.instances, settings.idleSeconds) = (3, 17, 301)
        (settings.queued, settings.probationSeconds) = (66, 61)
        #expect(read.plugins == ["crypto-bot": settings])
        var manifest = try SamplePlugin.installed().manifest
        manifest.isolation = .perCall
        let rule = FleetRule(manifest, settings)
        #expect(rule.warm == 3 && rule.instances == 17 && rule.idleMilliseconds == 301_000 && rule.queued == 66)
        manifest.isolation = .shared
        #expect(FleetRule(manifest, settings).instances == 1, "more than one would not be shared")
    }

    /// The least and the greatest of each field are taken, and what lies beyond is refused with its path.
    @Test(arguments: [
        ("budget", "processes", 1, 10_000), ("budget", "memoryMegabytes", 16, 16 << 20), ("plugins.p", "warm", 0, 64),
        ("plugins.p", "instances", 1, 1_000), ("plugins.p", "idleSeconds", 1, 86_400),
        ("plugins.p", "queued", 1, 1_000), ("plugins.p", "probationSeconds", 0, 3_600),
    ])
    func everyNumberIsBounded(place: String, field: String, least: Int, most: Int) throws {
        let text = { (number: String) in
            place == "budget"
                ? "{\"budget\":{\"\(field)\":\(number)}}" : "{\"plugins\":{\"p\":{\"\(field)\":\(number)}}}"
        }
        for number in [least, most] { _ = try parse(text("\(number)")) }
        for number in ["\(least - 1)", "\(most + 1)", "1.5", "1e40", "null", "true", "\"2\"", "[]", "{}"] {
            let error = refusal { () throws(HostError) in try parse(text(number)) }
            #expect(error?.code == .invalidConfiguration, "\(field) \(number)")
            let words = "\(place).\(field) must be an integer from \(least) to \(most), found "
            #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test(arguments: [
        ("", "it is not JSON: "), ("{} x", "it is not JSON: "), (#"{"budget":{},"budget":{}}"#, "it is not JSON: "),
        (#"{"a":[[[[[1]]]]]}"#, "it is not JSON: "), ("[]", "the file must be an object, found array"),
        (#"{"budgets":{}}"#, #"the file has the unknown member "budgets"; known there: budget, plugins"#),
        (#"{"budget":3}"#, "budget must be an object, found integer"),
        (#"{"budget":{"process":3}}"#, #"budget has the unknown member "process"; known there: processes, memory"#),
        (#"{"plugins":[]}"#, "plugins must be an object, found array"),
        (#"{"plugins":{"p":null}}"#, "plugins.p must be an object, found null"),
        (#"{"plugins":{"p":{"Warm":1}}}"#, #"plugins.p has the unknown member "Warm"; known there: warm, instances"#),
        (#"{"plugins":{"P":{}}}"#, #"plugins has the member "P", which is no plugin's name: 1 to 64 of"#),
        (#"{"plugins":{"":{}}}"#, #"plugins has the member "", which is no plugin's name"#),
        (#"{"plugins":{"1a":{}}}"#, #"plugins has the member "1a", which is no plugin's name"#),
        (#"{"plugins":{"a/b":{}}}"#, #"plugins has the member "a/b", which is no plugin's name"#),
    ])
    func whatIsNotUnderstoodIsRefusedWithItsPath(text: String, words: String) {
        let error = refusal { () throws(HostError) in try parse(text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "taken")")
    }

    @Test func aChangeNamesThePluginsWhoseSettingsDiffer() throws {
        let old = try parse(#"{"plugins":{"a":{"warm":1},"b":{"warm":1},"c":{"queued":2}}}"#)
        let new = try parse(#"{"budget":{"processes":3},"plugins":{"a":{"warm":1},"b":{"warm":2},"d":{"queued":2}}}"#)
        let change = ConfigurationChange(from: old, to: new, installed: ["a", "b", "x", "y"])
        #expect(change.changed == ["b", "c", "d"] && change.unchanged == 3 && change.budgetChanged)
        #expect(change.notInstalled == ["d"])
        let none = ConfigurationChange(from: new, to: new, installed: ["a"])
        #expect(none.changed == [] && none.unchanged == 1 && !none.budgetChanged)
        let empty = try parse(#"{"plugins":{"a":{}}}"#)
        #expect(ConfigurationChange(from: .standard, to: empty, installed: ["a"]).changed == [])
    }
}
