import Egress
import JSONBytes
import Testing

@testable import HostCore
@testable import PluginABI
@testable import Sandbox

@Suite struct DenialTests {
    private static let known = ["http.fetch", "net.connect", "kv.get"]

    private func denial(
        _ error: ABIError, _ service: String, _ json: JSONValue = [:], by rule: EgressRefusal.Rule? = nil
    ) throws -> Denial {
        var failure = ServiceFailure(error)
        failure.rule = rule
        return Denial(
            failure, Message.HostCall(service: service, parent: 1, content: Message.Payload(json)),
            in: try SamplePlugin.context(), known: Self.known)
    }

    private let wish: JSONValue = ["endpoint": "exchange", "method": "GET", "path": "/sapi/withdraw"]

    @Test func denialNamesTheWishTheRuleThePermissionAndTheCommand() throws {
        let error = ABIError(.permissionDenied, "http.fetch refused: the path")
        let denial = try denial(error, "http.fetch", wish)
        #expect(denial.plugin == "sample" && denial.instance == "sample#1" && denial.requestID == "r1")
        #expect(denial.what == "http.fetch GET exchange /sapi/withdraw")
        #expect(denial.rule == "permissions.http.fetch \"exchange\"")
        #expect(denial.permission == "permissions.http.fetch")
        #expect(
            denial.line == "denied http.fetch GET exchange /sapi/withdraw by permissions.http.fetch \"exchange\": "
                + "http.fetch refused: the path; permissions.http.fetch would allow it; "
                + "add it to plugin.json and install that with `nexus plugin install PATH`")
    }

    @Test func addressesAndQuotasAreNoPermissionsOfTheManifest() throws {
        let error = ABIError(.permissionDenied, "whatever its words say")
        let loopback = try denial(error, "http.fetch", wish, by: .loopback)
        #expect(loopback.command == "nexus plugin endpoint sample exchange=https://HOST:PORT --dev-loopback")
        let inner = try denial(error, "http.fetch", wish, by: .address)
        #expect(inner.permission == nil && inner.command == nil && inner.remedy == "no permission allows it")
        let quota = try denial(ABIError(.unavailable, "x"), "http.fetch", wish, by: .quota)
        #expect(quota.rule == "a quota of the host" && quota.permission == nil)
    }

    /// The rule is a value: a plugin, or a peer, that words its own refusal as ours changes nothing.
    @Test func wordsOfAMessageDecideNothing() throws {
        let error = ABIError(.permissionDenied, "--dev-loopback; plugins reach public addresses only")
        #expect(try denial(error, "http.fetch", wish).rule == "permissions.http.fetch \"exchange\"")
    }

    @Test func connectionIsNamedByHostAndPort() throws {
        var context = try SamplePlugin.context()
        context.plugin.manifest.permissions.netConnect = [
            Permissions.NetConnect(host: "db.example.com", port: 5432, reason: "r")
        ]
        let call = Message.HostCall(
            service: "net.connect", parent: 1, content: Message.Payload(["host": "DB.example.com.", "port": 5432]))
        let refused = ABIError(.permissionDenied, "x")
        let denied = Denial(ServiceFailure(refused, by: .loopback), call, in: context, known: Self.known)
        #expect(denied.what == "net.connect DB.example.com.:5432")
        #expect(denied.command == "nexus plugin endpoint sample db.example.com:5432=HOST:PORT --dev-loopback")
        let inner = Denial(ServiceFailure(refused, by: .address), call, in: context, known: Self.known)
        #expect(inner.rule == "the addresses that plugins may reach" && inner.permission == nil)
    }

    @Test func servicesThatDoNotExistAreNotNamed() throws {
        let denial = try denial(ABIError(.permissionDenied, "there is no host service"), "s3cret.name")
        #expect(denial.what == "an unknown service" && denial.permission == nil)
    }

    @Test func storeIsAllowedByItsOwnPermission() throws {
        let denial = try denial(ABIError(.permissionDenied, "kv.get refused: no"), "kv.get", ["key": "k"])
        #expect(denial.what == "kv.get" && denial.permission == "permissions.kv")
    }

    @Test func errorOfTheCallSaysTheReasonOnce() throws {
        let denial = try denial(ABIError(.permissionDenied, "http.fetch refused: the path"), "http.fetch", wish)
        #expect(
            denial.addition(to: "no price").hasPrefix(
                "; in this call the host denied http.fetch GET exchange /sapi/withdraw: http.fetch refused: the path; ")
        )
        #expect(!denial.addition(to: "no price: http.fetch refused: the path").contains("the path"))
    }

    @Test func whatAPluginWroteIsShownPrintableAndShort() throws {
        let denial = try denial(
            ABIError(.permissionDenied, "http.fetch refused: \u{1B}[2J"), "http.fetch",
            [
                "endpoint": "exchange", "method": "GET\u{1B}[31m",
                "path": .string(String(repeating: "x", count: 100_000)),
            ])
        #expect(denial.line.utf8.count < 1_000)
        #expect(!denial.line.unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test func instanceThatWasHeldBackIsALimitOnRecord() throws {
        var end = JailEnd(exit: .signalled(9), cause: nil, throttledPeriods: 12)
        let denial = try #require(Denial(throttled: end, percent: 20, plugin: "p", instance: "p#1"))
        #expect(denial.service == "limit" && denial.what == "more than 20 % of a processor")
        #expect(denial.rule == "permissions.resources.cpuPercent")
        #expect(denial.reason == "held back in 12 periods of 100 ms")
        #expect(Denial(throttled: end, percent: nil, plugin: "p", instance: "p#1") == nil)
        end.throttledPeriods = 0
        #expect(Denial(throttled: end, percent: 20, plugin: "p", instance: "p#1") == nil)
    }

    @Test func aPathOfThePluginsMakingIsRedacted() throws {
        let redactor = Redactor()
        redactor.learn([Credential(name: "key", value: SecretBytes(copying: Array("hunter2hunter2".utf8)))])
        let refused = JailDenial(
            time: 1, call: "openat", number: 257, arguments: [0, 0, 0, 0, 0, 0], detail: "/x/hunter2hunter2",
            answer: "ENOENT", profile: "strict", reason: "not in the jail", advice: "a", processID: 7, isPath: true)
        let denial = Denial(refused, plugin: "p", instance: "p#1", in: nil).redacted(by: redactor)
        #expect(denial.service == "path" && denial.rule == "the files of the jail" && denial.kind == "path")
        #expect(denial.what.hasPrefix("openat /x/") && !denial.what.contains("hunter2"))
    }
}
