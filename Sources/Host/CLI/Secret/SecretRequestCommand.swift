internal import ArgumentParser
internal import Foundation
internal import HostAPI
internal import JSONBytes

/// Opens a page on which somebody else types a credential, and waits until they have.
struct SecretRequestCommand: HostCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "Let a user type a credential into a page of this host.",
        discussion: """
            Prints a link and a pairing code. Give both to the user, by ways that others do not read. The page takes the
            credential once, within ten minutes. The command ends with the page; Ctrl-C ends both.
            """)
    @OptionGroup var host: HostOptions

    @Option(help: "The plugin that declares the credential.")
    var plugin: String

    @Option(help: "The credential's name; may be given several times.")
    var name: [String]

    @Option(help: "Whose it will be: a user, or group/user; by default yourself.")
    var user: String?

    @Flag(help: "For everybody; of a user credential, for who has none of their own.")
    var global = false

    func validate() throws {
        if name.isEmpty { throw ValidationError("--name is needed: the credential's name") }
        if global, user != nil { throw ValidationError("--global and --user exclude each other") }
    }

    func perform() async throws {
        let query =
            [("plugin", plugin), ("name", name.joined(separator: ","))] + (user.map { [("user", $0)] } ?? [])
            + (global ? [("global", "1")] : [])
        Interrupt.arm()
        let form = try await host.client.json(.post, APIPath.secretForms, query: query)
        guard let id = form["id"]?.stringValue else { throw CommandFailure("nexusd's answer has no id") }
        host.output.show(form) { form in
            host.output.line("link:         \(form.shown("url"))")
            host.output.line("pairing code: \(form.shown("code"))")
        }
        fflush(nil)
        try await follow(id)
    }

    /// Tells every change of state, on standard error where people read and as a line of JSON else.
    private func follow(_ id: String) async throws {
        var last = ""
        while true {
            if Interrupt.isSet {
                _ = try await host.client.json(.delete, APIPath.secretForm(id))
                throw CommandFailure("interrupted; the page is closed", exitCode: 130)
            }
            let answer = try await host.client.json(.get, APIPath.secretForm(id), query: [("seconds", "1")])
            let state = answer.shown("state")
            if state != last {
                last = state
                if host.json { host.output.line(answer.text) } else { tell(state) }
                fflush(nil)
            }
            guard answer["open"] == true else {
                guard state == "stored" else { throw CommandFailure("nothing was stored: the page is \(state)") }
                return
            }
        }
    }

    private func tell(_ state: String) {
        let words = [
            "pending": "waiting for the page to be opened", "opened": "the page was opened",
            "stored": "stored \(name.joined(separator: ", ")) for \(plugin)",
        ]
        if let text = words[state] { FileHandle.standardError.write(Data((text + "\n").utf8)) }
    }
}
