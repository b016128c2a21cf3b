import PluginABI
import SpecVectors
import Testing

@Suite struct FrameTests {
    @Test func theHeaderIsLittleEndian() {
        let bytes = Frame(kind: .call, stream: 0x0102_0304_0506_0708, body: [UInt8](repeating: 9, count: 258)).encoded()
        #expect(Hex.text(bytes.prefix(16)) == "02010000" + "20" + "00" + "0000" + "0807060504030201")
        #expect(bytes.count == 16 + 258)
    }

    @Test func noRenderingShowsTheBody() {
        let secret = Array("s3cret-value".utf8)
        let frame = Message.call(
            Message.Call(
                tool: "t", arguments: Array("{}".utf8), deadline: 1, requestID: "r", credentials: [Samples.credential])
        ).frame(stream: 1)
        var writer = FieldWriter()
        writer.write(FieldTag(1), bytes: secret)
        var decoder = FrameDecoder()
        decoder.append(frame.encoded().dropLast())
        for value in [frame, writer, decoder] as [Any] {
            for text in Renderings.all(of: value) {
                #expect(!text.contains("s3cret"))
                #expect(!text.contains("115, 51, 99, 114"), "\(text)")
            }
        }
        #expect("\(frame)" == "call on stream 1, \(frame.body.count) bytes")
    }

    @Test func wipingZeroesEveryByte() {
        var bytes: [UInt8] = Array(1...200)
        bytes.wipe()
        #expect(bytes == [UInt8](repeating: 0, count: 200))
        var empty: [UInt8] = []
        empty.wipe()
        #expect(empty.isEmpty)
    }
}

/// Every way in which a value turns into text by accident.
enum Renderings {
    static func all(of value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var nested = ""
        dump([["value": value]], to: &nested)
        var streamed = ""
        print(value, to: &streamed)
        let children = Mirror(reflecting: value).children.map { "\($0.value)" }
        return [
            "\(value)", String(describing: value), String(reflecting: value), "\([value])", dumped, nested, streamed,
        ]
            + children
    }
}
