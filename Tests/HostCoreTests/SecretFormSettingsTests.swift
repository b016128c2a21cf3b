import Testing

@testable import HostCore

@Suite struct SecretFormSettingsTests {
    private func parse(_ text: String) throws(HostError) -> SecretFormSettings? {
        try HostConfiguration(parsing: Array("{\"secretForm\":\(text)}".utf8)).secretForm
    }

    @Test func everyMemberIsTaken() throws {
        let settings = try #require(
            try parse(
                #"{"address":"::","port":8443,"names":["a.example","b"],"certificate":"/c.pem","key":"/k.pem"}"#))
        #expect(settings.address == "::" && settings.port == 8_443 && settings.names == ["a.example", "b"])
        #expect(settings.certificate == "/c.pem" && settings.key == "/k.pem")
        #expect(settings.base == "https://a.example:8443")
        let standard = try parse(#"{"port":443,"names":["a.example"],"certificate":"/c.pem","key":"/k.pem"}"#)
        #expect(standard?.base == "https://a.example" && standard?.address == "0.0.0.0")
        #expect(try HostConfiguration(parsing: Array("{}".utf8)).secretForm == nil)
    }

    @Test(arguments: [
        ("7", "an object"), (#"{"extra":1}"#, "\"extra\""), ("{}", "port"), (#"{"port":0}"#, "port"),
        (#"{"port":65536}"#, "port"), (#"{"port":1}"#, "names"), (#"{"port":1,"names":[]}"#, "names"),
        (#"{"port":1,"names":["A"]}"#, "names"), (#"{"port":1,"names":["a b"]}"#, "names"),
        (#"{"port":1,"names":["a",2]}"#, "names"), (#"{"port":1,"names":["a"]}"#, "certificate"),
        (#"{"port":1,"names":["a"],"certificate":"c.pem"}"#, "certificate"),
        (#"{"port":1,"names":["a"],"certificate":"/c"}"#, "key"),
    ])
    func whatDoesNotHoldIsRefusedByName(text: String, named: String) {
        let error = refusal { () throws(HostError) in try parse(text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("secretForm") == true && error?.message.contains(named) == true, "\(text)")
    }
}
