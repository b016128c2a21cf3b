import JSONBytes
import PluginABI
import Testing

@testable import HostCore

@Suite struct SealedRequestTests {
    private static let places = #"""
        {"header":"X-MBX-APIKEY","credential":"key"},{"header":"Authorization","credential":"token","after":"Bearer "},
        {"query":"apikey","credential":"key"},{"sign":"binance","credential":"secret"}
        """#
    private let context: CallContext

    init() throws {
        context = try SealedSample.context(
            Self.places, [("key", "k/1 2"), ("token", "t-1"), ("secret", "the-signing-secret")])
    }

    private func denial(_ members: JSONValue, body: String = "", in other: CallContext? = nil) -> String? {
        refusal { () throws(ABIError) in try SealedSample.completed(members, body: body, in: other ?? context) }.map {
            $0.code == .permissionDenied ? $0.message : "wrong code \($0.code)"
        }
    }

    @Test func valuesGoWhereTheManifestSays() throws {
        let request = try SealedSample.completed(
            ["sealed": ["key", "token"], "query": "a=1", "headers": ["Accept": "*/*"]], in: context)
        #expect(request.query == "a=1&apikey=k%2F1%202")
        #expect(
            request.headers == [
                .init(name: "Accept", value: "*/*"), .init(name: "X-MBX-APIKEY", value: "k/1 2"),
                .init(name: "Authorization", value: "Bearer t-1"),
            ])
        let one = try SealedSample.completed(["sealed": ["token"]], in: context)
        #expect(one.headers == [.init(name: "Authorization", value: "Bearer t-1")] && one.query.isEmpty)
    }

    @Test func aRequestThatNamesNothingIsSentAsItIs() throws {
        let wish = try SealedSample.wish(["query": "a=1"])
        #expect(try SealedSample.completed(["query": "a=1"], in: context) == wish)
    }

    @Test func whatIsNotGrantedIsDeniedWithItsRule() throws {
        #expect(
            denial(["sealed": ["other"]])
                == "http.fetch refused: the call of sample_echo has no sealed credential \"other\"; "
                + "its tool names it, and permissions.credentials delivers it sealed")
        let needsTwo = try SealedSample.context(
            #"{"sign":"aws-sigv4","credential":"key","id":"id","region":"eu","service":"s3"}"#,
            [("key", "a"), ("id", "b")])
        #expect(
            denial(["sealed": ["key"]], in: needsTwo)
                == "http.fetch refused: permissions.http.fetch \"exchange\" has no entry under sealed for key "
                + "that needs no other credential than those named")
        var without = context
        without.sealed = nil
        #expect(denial(["sealed": ["key"]], in: without)?.contains("has no sealed credential \"key\"") == true)
        #expect(denial(["sealed": ["key"], "method": "DELETE"])?.contains("not DELETE") == true)
        #expect(denial(["sealed": ["key"], "path": "/sapi/x"])?.contains("not /sapi/x") == true)
    }

    @Test(arguments: [
        ("x-mbx-apikey", "mine", "the header X-MBX-APIKEY"), ("AUTHORIZATION", "Bearer x", "the header Authorization"),
    ])
    func whatTheHostWritesThePluginMayNot(name: String, value: String, what: String) {
        #expect(
            denial(["sealed": ["key", "token"], "headers": .object(JSONObject([(name, .string(value))]))])
                == "http.fetch refused: \(what) is set by the host, as permissions.http.fetch says under sealed")
    }

    @Test(arguments: ["signature=1", "a=1&signature=", "%73ignature=1", "apikey=1", "a=1;signature=2", "api%6Bey"])
    func aParameterThatTheHostWritesIsRefusedInEverySpelling(text: String) {
        let sealed: JSONValue = ["key", "secret"]
        let said = "is set by the host, as permissions.http.fetch says under sealed"
        #expect(denial(["sealed": sealed, "query": .string(text)])?.hasSuffix(said) == true)
        #expect(denial(["sealed": sealed, "method": "POST"], body: text)?.hasSuffix(said) == true)
    }

    /// Bytes that are no UTF-8, and signs that make one character with `&` or `=`: servers part by bytes.
    @Test(arguments: [
        Array("apikey=1&x=".utf8) + [0xFF], Array("x=\u{600}&apikey=1".utf8), Array("apikey=\u{301}".utf8),
    ])
    func aParameterInABodyThatIsNoPlainTextIsRefused(body: [UInt8]) throws {
        var wish = try SealedSample.wish(["sealed": ["key"], "method": "POST"])
        wish.body = body
        let route = try EgressPolicy.route(wish, for: context.plugin)
        let failure = refusal { () throws(ServiceFailure) in try SealedRequest(wish, route, in: context) }
        #expect(failure?.error.message.contains("the parameter apikey is set by the host") == true)
    }

    /// An HTTP library encodes such a query once more, and the credential in it: a form in which nobody looks for it.
    @Test(arguments: ["a[]=1", "a=%zz", "a=%4", "a=\"b\""])
    func aQueryThatWouldBeSentOtherwiseIsRefusedWhereACredentialIsUsed(query: String) throws {
        #expect(denial(["sealed": ["key"], "query": .string(query)])?.contains("RFC 3986") == true)
        #expect(denial(["sealed": ["secret"], "query": .string(query)])?.contains("RFC 3986") == true)
        #expect(try SealedSample.completed(["query": .string(query)], in: context).query == query)
    }

    @Test func aDenialSaysThatNoPermissionHelps() throws {
        let json: JSONValue = [
            "endpoint": "exchange", "method": "GET", "path": "/api/v3/x", "sealed": ["token"],
            "headers": ["Authorization": "mine"],
        ]
        let call = Message.HostCall(service: "http.fetch", parent: 1, content: Message.Payload(json))
        let wish = try FetchRequest(call.content)
        let route = try EgressPolicy.route(wish, for: context.plugin)
        let failure = try #require(
            refusal { () throws(ServiceFailure) in try SealedRequest(wish, route, in: context) })
        let denial = Denial(failure, call, in: context, known: ["http.fetch"])
        #expect(denial.rule == "permissions.http.fetch \"exchange\"")
        #expect(denial.remedy == "send the request without it")
    }

    @Test func anAnswerThatCouldNotBeReadIsNotAskedFor() {
        #expect(denial(["headers": ["Accept-Encoding": "gzip"]])?.contains("the header accept-encoding") == true)
    }

    @Test(arguments: [("key", "line\r\nX-Other: 1"), ("key", " space"), ("key", "é"), ("token", "")])
    func aStoredValueThatCannotStandInAHeaderIsNamed(name: String, value: String) throws {
        let context = try SealedSample.context(
            #"{"header":"X-A","credential":"\#(name)"}"#, [(name, value.isEmpty ? "\0" : value)])
        let error = refusal { () throws(ABIError) in
            try SealedSample.completed(["sealed": [.string(name)]], in: context)
        }
        #expect(error?.code == .credentialMissing)
        #expect(error?.message.hasPrefix("the credential \(name) cannot be used: it is not printable ASCII") == true)
    }

    @Test func aStoredValueThatIsNoKeyIsNamed() throws {
        for key in ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "-----BEGIN ENCRYPTED KEY-----"] {
            let context = try SealedSample.context(#"{"sign":"binance","credential":"secret"}"#, [("secret", key)])
            let error = refusal { () throws(ABIError) in
                try SealedSample.completed(["sealed": ["secret"]], in: context)
            }
            #expect(error?.code == .credentialMissing)
            #expect(error?.message.hasPrefix("the credential secret cannot be used: it is ") == true)
            #expect(error?.message.contains("AAAA") == false)
        }
    }

    @Test func afterTheCallNothingIsSigned() throws {
        let wish = try SealedSample.wish(["sealed": ["secret"]])
        let request = try SealedRequest(wish, try EgressPolicy.route(wish, for: context.plugin), in: context)
        context.sealed?.drop()
        let error = refusal { () throws(ABIError) in try request.completed(at: 0) }
        #expect(error?.message == "http.fetch: the call has ended, and its credentials with it")
    }
}
