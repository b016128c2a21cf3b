// What a call gets whose credential is missing. Where the client can send its user to a URL, it is asked to (MCP,
// "Elicitation", URL mode); else the call fails and its words have the link. Neither is ever asked for the value, which
// goes from the browser to this host and nowhere else.
internal import HostCore
internal import JSONBytes

/// One call's way to a person.
struct MCPElicitation: Sendable {
    let requests: SecretRequests
    let revision: MCPRevision
    let opensURLs: Bool
    let actor: String
    /// Whom and what a `requestState` is good for.
    let binding: [String]
    /// From the call before, of which this is the repetition.
    var state: String?
    /// What the client's user did with the request: `accept`, `decline` or `cancel`.
    var action: String?
    /// How long the form is waited for when the call comes again.
    var patienceMilliseconds = MCPLimits.elicitationWaitMilliseconds
    /// Tells the client that the form was filled in (2025-11-25).
    var complete: (@Sendable (_ elicitation: String) -> Void)?

    /// The one request's name among `inputRequests`.
    static let key = "credentials"

    enum Outcome {
        case result(JSONObject)
        /// To be added to the failure.
        case words(String)
    }

    /// Whether a client's capabilities have URL mode; an empty `elicitation` means form mode alone.
    static func opensURLs(_ capabilities: JSONValue?) -> Bool {
        capabilities?["elicitation"]?["url"]?.objectValue != nil
    }

    /// From 2026-07-28 a call comes again, with what it was given. Then the form is waited for.
    ///
    /// - Returns: the answer, where the call need not be made: the form is not filled in, or will not be.
    /// - Throws: for a state that is not ours.
    func answerBeforeCall() async throws(MCPFault) -> JSONObject? {
        guard let state else { return nil }
        guard state.utf8.count <= MCPLimits.requestStateBytes, let text = requests.keys.open(state, for: binding),
            let params = (try? JSONValue(parsing: text))?.objectValue, let id = params["form"]?.stringValue,
            let url = params["url"]?.stringValue, let message = params["message"]?.stringValue
        else {
            throw MCPFault(
                status: 400, .invalidParams,
                "requestState is not one that this host gave out for this call; make the call again without it")
        }
        do throws(HostError) {
            if let action, action != "accept" {
                _ = try requests.close(id, reason: action == "decline" ? "declined by the user" : "cancelled")
                return nil
            }
        } catch {
            throw MCPFault(status: 200, .internalError, error.message)
        }
        let reached = await requests.wait(for: id, milliseconds: patienceMilliseconds)
        guard reached?.isOpen == true, !Task.isCancelled else { return nil }
        return Self.inputRequired(url: url, message: message, state: state)
    }

    /// Opens a form and says where.
    func ask(for missing: MissingCredentials, call: String) throws(MCPFault) -> Outcome {
        if let action, action != "accept" { return .words("; its user did not want to give it now (\(action))") }
        let invitation: SecretInvitation
        do throws(HostError) {
            invitation = try requests.open(missing, asker: actor, call: call)
        } catch {
            return .words("; no page can be opened for it now: \(error.message)")
        }
        let names = missing.names.joined(separator: ", ")
        let message =
            "\(missing.plugin) needs \(names) of \(missing.owner). Open the page and type the pairing code "
            + "\(invitation.code) there; it can be filled in for \(invitation.seconds / 60) minutes. The value goes to "
            + "the host only."
        guard opensURLs else {
            return .words(
                "; or \(missing.owner) types it into \(invitation.url) with the pairing code \(invitation.code) "
                    + "within \(invitation.seconds / 60) minutes, and the call is made again")
        }
        switch revision {
        case .stateless:
            let params: JSONValue = [
                "form": .string(invitation.id), "url": .string(invitation.url), "message": .string(message),
            ]
            guard let state = requests.keys.seal(params.text, for: binding) else { return .words("") }
            return .result(Self.inputRequired(url: invitation.url, message: message, state: state))
        case .handshake:
            if let complete {
                Task { [requests] in
                    let wait = HostLimits.secretFormMilliseconds + 1_000
                    if await requests.wait(for: invitation.id, milliseconds: wait) == .stored {
                        complete(invitation.id)
                    }
                }
            }
            throw MCPFault(
                status: 200, .urlElicitationRequired, "\(missing.plugin) needs credentials: \(names)",
                data: [
                    "elicitations": [
                        [
                            "mode": "url", "elicitationId": .string(invitation.id), "url": .string(invitation.url),
                            "message": .string(message),
                        ]
                    ], "request": .string(call),
                ])
        }
    }

    private static func inputRequired(url: String, message: String, state: String) -> JSONObject {
        JSONObject([
            (key: "resultType", value: "input_required"),
            (
                key: "inputRequests",
                value: [
                    key: [
                        "method": "elicitation/create",
                        "params": ["mode": "url", "url": .string(url), "message": .string(message)],
                    ]
                ]
            ), (key: "requestState", value: .string(state)),
        ])
    }
}

extension MCPEndpoint {
    /// What a call may use if its credential is missing; nil where there are no forms.
    ///
    /// - Throws: for a `requestState` that is no string.
    func elicitation(
        _ message: MCPMessage.Request, _ revision: MCPRevision, for request: MCPRequest, as presented: Presented,
        actor: String
    ) throws(MCPFault) -> MCPElicitation? {
        guard let requests else { return nil }
        let tool = message.params["name"]?.stringValue ?? ""
        let state = message.params["requestState"]
        guard state == nil || state?.stringValue != nil else {
            throw MCPFault(status: 400, .invalidParams, "requestState must be the string that came with the request")
        }
        let isStateless = revision == .stateless
        let capabilities = try message.meta()[MCPMetaKey.clientCapabilities]
        var elicitation = MCPElicitation(
            requests: requests, revision: revision,
            opensURLs: isStateless ? MCPElicitation.opensURLs(capabilities) : MCPSession.opensURLs(request),
            actor: actor, binding: ["nexus-request-state-1", actor, presented.onBehalfOf ?? "", tool])
        if isStateless {
            elicitation.state = state?.stringValue
            elicitation.action =
                message.params["inputResponses"]?[MCPElicitation.key]?["action"]?.stringValue
        } else if let session = MCPSession.name(in: request) {
            elicitation.complete = { [listeners] id in
                let params = JSONObject([(key: "elicitationId", value: .string(id))])
                listeners.tell(
                    MCPEvent.notification("notifications/elicitation/complete", params), to: session, of: actor)
            }
        }
        return elicitation
    }
}
