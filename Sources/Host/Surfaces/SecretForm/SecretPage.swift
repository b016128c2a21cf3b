internal import HostCore
internal import JSONBytes

/// The pages, whole: no script, nothing from anywhere else, and nothing of what was typed.
struct SecretPage {
    var title: String
    /// HTML.
    var content: String

    /// The names of the form's fields.
    static let code = "code"
    static let csrf = "csrf"
    static func value(_ index: Int) -> String { "value-\(index)" }

    /// - Parameter problem: what was wrong with the last try.
    static func form(_ view: SecretRequestView, action: String, csrf: String, problem: String? = nil) -> SecretPage {
        let wanted = view.wanted
        let whose = wanted.owner.isEmpty ? "everyone on this host" : wanted.owner
        let alert = problem.map { "<p class=\"problem\" role=\"alert\" id=\"problem\">\(escape($0))</p>" } ?? ""
        let describes = problem == nil ? "code-hint" : "problem code-hint"
        let inputs = wanted.names.enumerated().map { index, name in
            """
            <div class="field"><label for="\(value(index))">\(escape(name))</label>
            <input type="password" id="\(value(index))" name="\(value(index))" required autocomplete="off" \
            spellcheck="false" autocapitalize="none" aria-describedby="value-hint"></div>
            """
        }.joined(separator: "\n")
        return SecretPage(
            title: "Credentials for \(wanted.plugin)",
            content: """
                <p>The plugin <strong>\(escape(wanted.plugin))</strong> needs credentials of \
                <strong>\(escape(whose))</strong>. \(escape(view.asker)) asked for them.</p>
                <p>If you did not start this, close the page.</p>
                \(alert)
                <form method="post" action="\(escape(action))" autocomplete="off">
                <input type="hidden" name="\(Self.csrf)" value="\(escape(csrf))">
                <div class="field"><label for="code">Pairing code</label>
                <input type="text" id="code" name="\(code)" required maxlength="16" autocomplete="off" \
                spellcheck="false" autocapitalize="characters" aria-describedby="\(describes)">
                <p class="hint" id="code-hint">Six letters and digits, shown where you were given this link.</p></div>
                \(inputs)
                <p class="hint" id="value-hint">Stored encrypted on this host. It is not shown again, and the agent \
                does not get it.</p>
                <button type="submit">Store</button>
                </form>
                """)
    }

    static let stored = SecretPage(
        title: "Stored",
        content: "<p>The credentials are stored. You can close this page and go back to where you came from.</p>")

    /// For what is unknown, used, expired and refused alike.
    static let absent = SecretPage(
        title: "This link does not work",
        content: "<p>It was used already, has expired, or never was one. Ask for a new one.</p>")

    static func problem(_ title: String, _ text: String) -> SecretPage {
        SecretPage(title: title, content: "<p>\(escape(text))</p>")
    }

    /// - Parameter nonce: of the one style element, named by the Content-Security-Policy too; without one the page has
    ///   no style, and is always the same bytes.
    func html(nonce: String?) -> [UInt8] {
        let style = nonce.map { "\n<style nonce=\"\($0)\">\(Self.style)</style>" } ?? ""
        return page(style)
    }

    private func page(_ style: String) -> [UInt8] {
        Array(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            <meta name="color-scheme" content="light dark">
            <title>\(Self.escape(title)) · Nexus</title>\(style)
            </head>
            <body>
            <main>
            <h1>\(Self.escape(title))</h1>
            \(content)
            </main>
            </body>
            </html>

            """.utf8)
    }

    static func escape(_ text: String) -> String {
        text.printable.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case "'": "&#39;"
            default: String(character)
            }
        }.joined()
    }

    private static let style = """
        :root{color-scheme:light dark}
        body{margin:0;font:1rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
        main{max-width:32rem;margin:0 auto;padding:1.5rem 1rem}
        h1{font-size:1.5rem;line-height:1.2}
        .field{margin:1rem 0}
        label{display:block;font-weight:600;overflow-wrap:anywhere}
        input{box-sizing:border-box;width:100%;min-height:2.75rem;padding:.5rem;font:inherit;
        color:FieldText;background:Field;border:1px solid GrayText;border-radius:.25rem}
        input:focus-visible,button:focus-visible{outline:3px solid Highlight;outline-offset:2px}
        button{min-height:2.75rem;padding:.5rem 1.5rem;font:inherit;font-weight:600}
        .hint{margin:.25rem 0}
        .problem{padding:.5rem;border:2px solid currentColor}
        """
}
