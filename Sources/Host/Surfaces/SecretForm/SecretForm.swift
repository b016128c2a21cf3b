// What crosses here: a value that must reach the store and nothing else. Whoever sends these bytes is a stranger with a
// link; the pairing code is what tells them from a stranger who found one. Everything that is refused is refused before
// the link is looked at, or in the one answer that every dead link gets.
public import HostCore
internal import Logging
internal import PluginABI

/// The page on which a person types credentials (docs/SECRET-FORM.md).
public struct SecretForm: Sendable {
    static let prefix = "/secret/"
    static let storedPath = "/secret/stored"
    static let cookie = "__Host-nexus-form"
    /// Of a submission, in bytes: eight values of full length, each byte written as three.
    static let bodyBytes = 512 << 10
    private static let logger = Logger(label: "nexus.secret-form")

    let requests: SecretRequests

    public init(requests: SecretRequests) { self.requests = requests }

    /// - Parameter host: the Host header.
    func respond(to request: WireRequest, host: String?, at site: FormSite) -> WireResponse {
        let response = answer(request, host: host, at: site)
        // The path is a secret, so the line names none.
        Self.logger.debug(
            "secret form", metadata: ["method": "\(request.method.prefix(8))", "status": "\(response.status)"])
        return finished(response, isHead: request.method == "HEAD", site)
    }

    private func answer(_ request: WireRequest, host: String?, at site: FormSite) -> WireResponse {
        guard site.serves(host) else { return refused("The Host header names another server.") }
        let token = String(request.path.dropFirst(Self.prefix.count))
        switch request.method {
        case "GET", "HEAD":
            if let destination = request.header("sec-fetch-dest"), destination != "document" {
                return refused("The page is not part of another.")
            }
            if request.path == Self.storedPath {
                var response = page(200, .stored)
                // Not "cookies": those of a name belong to every port of it, and others' are not ours to clear.
                response.headers.append(("clear-site-data", "\"cache\", \"storage\""))
                return response
            }
            return show(token, to: request)
        case "POST": return take(token, from: request, at: site)
        default:
            var response = page(405, .problem("Not served", "Only GET, HEAD and POST are served here."))
            response.headers.append(("allow", "GET, HEAD, POST"))
            return response
        }
    }

    private func show(_ token: String, to request: WireRequest) -> WireResponse {
        let isLooking = request.method == "HEAD" || request.header("sec-purpose") != nil
        do throws(HostError) {
            guard let view = try requests.look(token, noting: !isLooking) else { return absent }
            return form(200, view, token, cookie: Self.cookie(of: request) ?? SecretRequestKeys.random())
        } catch {
            return failed
        }
    }

    private func take(_ token: String, from request: WireRequest, at site: FormSite) -> WireResponse {
        guard site.isOwn(origin: request.header("origin"), fetchSite: request.header("sec-fetch-site")) else {
            return refused("The form was sent from another site.")
        }
        let type = request.header("content-type")?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/x-www-form-urlencoded" else {
            return page(415, .problem("Not a form", "Send the form as application/x-www-form-urlencoded."))
        }
        guard let fields = FormFields(request.body) else {
            return page(400, .problem("Not a form", "The form cannot be read. Load the page again."))
        }
        guard let cookie = Self.cookie(of: request), let mark = fields.text(SecretPage.csrf),
            requests.keys.isCSRF(mark, cookie: cookie, token: token)
        else { return refused("The form is not one that this page gave out. Load the page again, with cookies on.") }
        do throws(HostError) {
            guard let view = try requests.look(token, noting: false) else { return absent }
            var values: [SecretBytes] = []
            for (index, name) in view.wanted.names.enumerated() {
                let value = fields.secret(SecretPage.value(index)).map(PEMText.restored)
                guard let value, (1...HostLimits.secretBytes).contains(value.count) else {
                    let problem = "\(name) must have 1 to \(HostLimits.secretBytes) bytes. Nothing was stored."
                    return form(422, view, token, cookie: cookie, problem: problem)
                }
                values.append(value)
            }
            switch try requests.submit(token, code: fields.text(SecretPage.code) ?? "", values: values) {
            case .unknown: return absent
            case .wrongCode(let view):
                let left = view.attemptsLeft == 1 ? "1 try is left" : "\(view.attemptsLeft) tries are left"
                return form(
                    403, view, token, cookie: cookie,
                    problem: "The pairing code is another one. Nothing was stored; \(left).")
            case .stored:
                return WireResponse(
                    status: 303, headers: [("location", Self.storedPath), Self.setCookie("", seconds: 0)])
            }
        } catch {
            return failed
        }
    }

    private func form(
        _ status: Int, _ view: SecretRequestView, _ token: String, cookie: String, problem: String? = nil
    ) -> WireResponse {
        let csrf = requests.keys.csrf(cookie: cookie, token: token)
        var response = page(status, .form(view, action: Self.prefix + token, csrf: csrf, problem: problem))
        response.headers.append(
            Self.setCookie(cookie, seconds: Int(HostLimits.secretFormMilliseconds / 1_000)))
        return response
    }

    private static func setCookie(_ value: String, seconds: Int) -> (name: String, value: String) {
        ("set-cookie", "\(cookie)=\(value); Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=\(seconds)")
    }

    /// The form's cookie, if it looks like one of ours.
    private static func cookie(of request: WireRequest) -> String? {
        let pairs = request.headers.filter { $0.name == "cookie" }.flatMap { $0.value.split(separator: ";") }
        let ours = pairs.compactMap { pair -> String? in
            let trimmed = pair.drop { $0 == " " }
            return trimmed.hasPrefix(cookie + "=") ? String(trimmed.dropFirst(cookie.utf8.count + 1)) : nil
        }
        guard ours.count == 1, ours[0].utf8.count == 64, ours[0].allSatisfy(\.isHexDigit) else { return nil }
        return ours[0]
    }

    /// The same bytes every time.
    private var absent: WireResponse { page(404, .absent, isStyled: false) }

    private var failed: WireResponse {
        page(503, .problem("Not stored", "The host could not store it, and kept nothing. Ask for a new link."))
    }

    private func refused(_ reason: String) -> WireResponse { page(403, .problem("Refused", reason)) }

    private func page(_ status: Int, _ page: SecretPage, isStyled: Bool = true) -> WireResponse {
        let nonce = isStyled ? SecretRequestKeys.random() : nil
        let style = nonce.map { "style-src 'nonce-\($0)'; " } ?? ""
        return WireResponse(
            status: status,
            headers: [
                ("content-type", "text/html; charset=utf-8"),
                (
                    "content-security-policy",
                    "default-src 'none'; \(style)form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
                ),
            ], body: page.html(nonce: nonce))
    }

    /// What every answer carries.
    private func finished(_ response: WireResponse, isHead: Bool, _ site: FormSite) -> WireResponse {
        var response = response
        response.headers += [
            ("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"), ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ]
        if site.isSecure { response.headers.append(("strict-transport-security", "max-age=31536000")) }
        if isHead { response.body = [] }
        return response
    }
}
