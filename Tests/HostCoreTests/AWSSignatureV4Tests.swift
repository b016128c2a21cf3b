import JSONBytes
import PluginABI
import Testing

@testable import HostCore

/// Against botocore, the library that AWS's own command line signs with.
@Suite struct AWSSignatureV4Tests {
    private static let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    private struct Wish {
        var service = "execute-api"
        var region = "eu-central-1"
        var method = "GET"
        var path = "/api/v3/x"
        var query = ""
        var headers: [(String, String)] = []
        var body = ""
        var session: String?
    }

    private static let wishes = [
        Wish(),
        Wish(query: "b=2&a=1&a=0&c&d=%20x%2F%C3%A9"),
        Wish(method: "POST", headers: [("Content-Type", "application/json"), ("X-Amz-Target", "A.B")], body: "{}"),
        Wish(headers: [("X-Spaces", "  a   b "), ("accept", "*/*"), ("User-Agent", "bot/1")], session: "tok/en=="),
        Wish(service: "s3", region: "us-east-1", path: "/api/v3/bucket/a.b~c_d-e"),
        Wish(service: "s3", method: "PUT", query: "partNumber=1&uploadId=x", body: "bytes", session: "t"),
    ]

    @Test func signaturesAreThoseOfBotocore() throws {
        let requests = Self.wishes.map { wish -> JSONValue in
            [
                "service": .string(wish.service), "region": .string(wish.region), "method": .string(wish.method),
                "host": "api.example.com", "path": .string(wish.path), "query": .string(wish.query),
                "headers": .object(JSONObject(wish.headers.map { (key: $0.0, value: .string($0.1)) })),
                "body": .string(wish.body), "session": JSONValue(wish.session),
            ]
        }
        let answers = try #require(
            try SignatureOracle.ask(
                "aws",
                ["id": "AKIDEXAMPLE", "key": .string(Self.key), "seconds": 1_440_938_160, "requests": .array(requests)]
            ).arrayValue)
        try #require(answers.count == Self.wishes.count)
        for (wish, answer) in zip(Self.wishes, answers) {
            let signed = try sign(wish)
            for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
                #expect(signed[name] == answer[name]?.stringValue, "\(name) of \(wish)")
            }
        }
    }

    private func sign(_ wish: Wish) throws -> [String: String] {
        let session = wish.session == nil ? "" : #","session":"session""#
        let use =
            #"{"sign":"aws-sigv4","credential":"key","id":"id"\#(session),"region":"\#(wish.region)","#
            + #""service":"\#(wish.service)"}"#
        let values = [("key", Self.key), ("id", "AKIDEXAMPLE")] + (wish.session.map { [("session", $0)] } ?? [])
        let members: JSONValue = [
            "method": .string(wish.method), "path": .string(wish.path), "query": .string(wish.query),
            "headers": .object(JSONObject(wish.headers.map { (key: $0.0, value: .string($0.1)) })),
            "sealed": JSONValue(values.map(\.0)),
        ]
        let request = try SealedSample.completed(
            members, body: wish.body, in: try SealedSample.context(use, values), at: 1_440_938_160_000)
        return Dictionary(
            request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func aQueryThatServersReadInTwoWaysIsRefused() {
        let error = #expect(throws: ABIError.self) { try sign(Wish(query: "a=b+c")) }
        #expect(
            error?.message == "the credential key cannot be used: "
                + "the query is not percent-encoded as RFC 3986 says, a space as %20")
    }

    @Test func aHeaderOfTheSchemeIsTheHosts() {
        let error = #expect(throws: ABIError.self) { try sign(Wish(headers: [("x-amz-date", "20200101T000000Z")])) }
        #expect(error?.code == .permissionDenied)
    }
}
