import Testing

@testable import nexus

struct ProjectNameTests {
    @Test(arguments: ["a", "my-plugin", "x2", "a-b-c", String(repeating: "a", count: 48)])
    func namesThatAreSafeEverywhereAreTaken(name: String) throws {
        #expect(try ProjectName(name).plugin == name)
    }

    @Test func namesForModulesFollowFromIt() throws {
        let name = try ProjectName("my-first-plugin2")
        #expect(name.underscored == "my_first_plugin2")
        #expect(name.camelCased == "MyFirstPlugin2")
    }

    @Test(arguments: [
        ("MyPlugin", "my-plugin"), ("my plugin", "my-plugin"), ("my_plugin", "my-plugin"), ("-x-", "x"),
        ("2fast", "fast"), ("a--b", "a-b"), ("Hello_There", "hello-there"), ("HTTPFetch", "httpfetch"),
        (String(repeating: "a", count: 49), String(repeating: "a", count: 48)), ("../etc", "etc"),
        ("a/b", "a-b"),
        ("", "my-plugin"), ("é", "my-plugin"), ("a\n", "a"),
        (String(repeating: "a", count: 47) + "-bb", String(repeating: "a", count: 47)),
    ])
    func otherNamesAreRefusedWithTheRuleAndANameThatWouldDo(name: String, near: String) throws {
        let failure = #expect(throws: CommandFailure.self) { try ProjectName(name) }
        #expect(failure?.message.contains(ProjectName.rule) == true)
        #expect(failure?.message.hasSuffix("for example: \(near)") == true, "\(failure?.message ?? "")")
        #expect(failure?.exitCode == 64)
        _ = try ProjectName(near)
    }

    @Test func aNameThatSteersATerminalIsShownHarmless() {
        let failure = #expect(throws: CommandFailure.self) { try ProjectName("a\u{1B}[31m") }
        #expect(failure?.message.contains("\u{1B}") == false)
    }
}
