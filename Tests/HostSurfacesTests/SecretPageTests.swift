import Foundation
import PluginABI
import Testing

@testable import HostCore
@testable import HostSurfaces

@Suite struct SecretPageTests {
    private func html(_ plugin: String, _ names: [String], owner: String = "alice", problem: String? = nil) -> String {
        let wanted = MissingCredentials(plugin: plugin, names: names, scope: .user, owner: owner)
        let view = SecretRequestView(id: "1", wanted: wanted, asker: "agent", attemptsLeft: 5)
        return String(
            decoding: SecretPage.form(view, action: "/secret/t", csrf: "m", problem: problem).html(nonce: "n"),
            as: UTF8.self)
    }

    @Test func everyFieldHasALabelAndNoneItsValue() {
        let page = html("bot", ["key", "secret"])
        for (id, label) in [("code", "Pairing code"), ("value-0", "key"), ("value-1", "secret")] {
            #expect(page.contains("<label for=\"\(id)\">\(label)</label>"))
            #expect(page.contains("id=\"\(id)\" name=\"\(id)\" required"))
        }
        #expect(page.components(separatedBy: "type=\"password\"").count == 3)
        #expect(page.components(separatedBy: "autocomplete=\"off\" spellcheck=\"false\"").count == 4)
        #expect(page.components(separatedBy: "value=\"").count == 2, "the mark alone has a value")
        for part in ["<html lang=\"en\">", "<main>", "<h1>", "width=device-width", "color-scheme"] {
            #expect(page.contains(part), "\(part)")
        }
    }

    @Test func thereIsNoScriptAndNothingFromElsewhere() {
        let page = html("bot", ["key"], problem: "wrong").lowercased()
        for part in ["<script", "javascript:", "src=", "href=", "url(", "@import", "http:", "https:", " style=", " on"]
        {
            let found = part == " on" ? page.contains(" onload") || page.contains(" onclick") : page.contains(part)
            #expect(!found, "\(part)")
        }
    }

    @Test func namesCannotBecomeMarkup() {
        let page = html("<b>\"x'&", ["<i>"], owner: "</p><script>", problem: "<u>\u{1B}")
        #expect(page.contains("&lt;b&gt;&quot;x&#39;&amp;") && page.contains("&lt;i&gt;"))
        for part in ["<b>", "<i>", "<u>", "<script", "\u{1B}"] { #expect(!page.contains(part), "\(part)") }
    }

    @Test func aProblemIsSaidAloudAndBelongsToTheCode() {
        let page = html("bot", ["key"], problem: "wrong")
        #expect(page.contains("role=\"alert\"") && page.contains("aria-describedby=\"problem code-hint\""))
    }
}
