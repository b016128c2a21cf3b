import Foundation
import HostAPI
import Testing

@testable import nexus

@Suite struct StreamedCallTests {
    private func line(_ text: String) -> LineSplitter.Line { .text(Array(text.utf8)) }

    @Test func recordsAreBytesAndThenOneResult() throws {
        var records = StreamedRecords()
        let bytes = try records.take(line(#"{"bytes":"AP8="}"#))
        let result = try records.take(line(#"{"result":{"a": 1.50}}"#))
        #expect(bytes == .bytes(Data([0, 255])) && result == .result(Array(#"{"a": 1.50}"#.utf8)))
        try records.finish()
        #expect(throws: CommandFailure.self) { try records.take(line(#"{"bytes":""}"#)) }
    }

    @Test func anAnswerWithoutItsLastRecordWasCutOff() throws {
        var records = StreamedRecords()
        #expect(throws: CommandFailure.self) { try records.finish() }
        _ = try records.take(line(#"{"bytes":""}"#))
        let failure = #expect(throws: CommandFailure.self) { try records.finish() }
        #expect(failure?.message == "the answer was cut off: nexusd sent no result")
    }

    @Test func anErrorIsTheCallsOwn() {
        var records = StreamedRecords()
        let failure = #expect(throws: CommandFailure.self) {
            try records.take(line(#"{"error":{"code":"plugin-failed","message":"no","retryable":true}}"#))
        }
        #expect(failure?.shown.code == "plugin-failed" && failure?.shown.retryable == true)
    }

    @Test(arguments: ["", "1", "{}", #"{"bytes":"AP8"}"#, #"{"bytes":1}"#, #"{"bytes":"AA==""#])
    func whatIsNoRecordIsRefused(text: String) {
        var records = StreamedRecords()
        #expect(throws: CommandFailure.self) { try records.take(line(text)) }
        #expect(throws: CommandFailure.self) { try records.take(.tooLong) }
    }
}
