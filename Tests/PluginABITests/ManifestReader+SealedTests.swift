import JSONBytes
import PluginABI
import Testing

/// What the vectors do not say of `sealed`: the words, and what is read.
@Suite struct ManifestReaderSealedTests {
    private func read(_ sealed: String, credentials: [String] = ["key"], delivery: String = "sealed") -> String {
        let text = SealedManifest.text(sealed, credentials: credentials, delivery: delivery)
        return ManifestSamples.refusal(of: Array(text.utf8))
    }

    private let header = #"{"header":"X-Key","credential":"key"}"#

    @Test func aCredentialIsDeliveredOneWayAndHasAUse() {
        let place = "permissions.http.fetch[0].sealed[0]"
        #expect(read(header) == "accepted")
        #expect(
            read(header, delivery: "call")
                == "\(place): \"key\" is delivered with the call; declare it with \"delivery\": \"sealed\"")
        #expect(read(header, credentials: []) == "\(place): \"key\" is not declared under permissions.credentials")
        #expect(
            read(header, credentials: ["key", "spare"])
                == "permissions.credentials[1].delivery: no entry of http.fetch uses \"spare\" under sealed, "
                + "so nothing could be done with it")
    }

    @Test func aRequestIsSignedOnceAndNothingIsWrittenTwice() {
        let sign = #"{"sign":"binance","credential":"key"}"#
        let template =
            #"{"sign":"template","credential":"key","algorithm":"ed25519","encoding":"hex","#
            + #""parts":["body"],"header":"x-KEY"}"#
        #expect(read("\(header),\(sign)") == "accepted")
        #expect(
            read("\(sign),\(template)")
                == "permissions.http.fetch[0].sealed[1]: a request is signed once; leave one signature")
        #expect(
            read("\(header),\(template)")
                == "permissions.http.fetch[0].sealed[1]: the header x-KEY is written twice")
        #expect(
            read(#"\#(sign),{"query":"signature","credential":"key"}"#)
                == "permissions.http.fetch[0].sealed[1]: the parameter signature is written twice")
    }

    @Test(arguments: ["Host", "content-length", "Transfer-Encoding", "Cookie", "TE", "accept-encoding", "Connection"])
    func aHeaderThatFramesTheMessageIsRefused(name: String) {
        #expect(
            read(#"{"header":"\#(name)","credential":"key"}"#)
                == "permissions.http.fetch[0].sealed[0].header: the header \(name) is set by the host only")
    }

    @Test func aSignedTimestampIsTold() {
        func template(_ more: String) -> String {
            #"{"sign":"template","credential":"key","algorithm":"hmac-sha256","encoding":"hex","#
                + #""parts":["timestamp","body"],"header":"X-Sign"\#(more)}"#
        }
        #expect(
            read(template(""))
                == "permissions.http.fetch[0].sealed[0].timestamp: is missing; parts has one, "
                + "and the server must be told which")
        #expect(read(template(#","timestamp":{"header":"X-Time","format":"seconds"}"#)) == "accepted")
    }
}

/// A manifest with one endpoint and these sealed uses.
enum SealedManifest {
    static func text(_ sealed: String, credentials: [String] = ["key"], delivery: String = "sealed") -> String {
        let declared = credentials.map {
            #"{"name":"\#($0)","scope":"user","delivery":"\#(delivery)","reason":"r"}"#
        }.joined(separator: ",")
        return #"""
            {"manifest":1,"name":"hello","version":"1.0.0","kind":"tool","description":"d","abi":{"min":1,"max":1},
             "runtime":{"executable":"bin/hello"},
             "permissions":{"credentials":[\#(declared)],"http.fetch":[{"endpoint":"e",
              "origin":"https://api.example.com","methods":["GET"],"paths":["/v1/"],
              "sealed":[\#(sealed)],"reason":"r"}]},
             "tools":[{"name":"t","description":"d","inputSchema":{"type":"object"}}]}
            """#
    }
}
