internal import Foundation
internal import JSONBytes

/// What `nexus dev` tells: lines for people, or one JSON object a line with `event` and `text`.
struct DevOutput {
    let output: Output

    func note(_ event: String, _ text: String) {
        say(event, text.printable, output.dim("· ") + text.printable)
    }
    func log(_ text: String) { say("log", text, "  │ \(text)") }
    func failed(_ text: String) { say("failed", text, output.red("✗ \(text)")) }

    /// Words of a compiler, in its own lines and colours.
    func words(_ text: String) { say("words", text, text) }

    func tool(_ name: String, _ description: String, call: String) {
        guard !output.isJSON else {
            return emit(["event": "tool", "text": .string(name), "call": .string(call)])
        }
        output.line("\(output.bold(name.printable))  \(description.prefix(80).printable)")
        output.line("    \(call)")
        flush()
    }

    private func say(_ event: String, _ text: String, _ shown: String) {
        guard !output.isJSON else { return emit(["event": .string(event), "text": .string(text)]) }
        output.line(shown)
        flush()
    }

    private func emit(_ value: JSONValue) {
        output.line(value.text)
        flush()
    }

    /// Others may read this through a pipe while it goes on.
    private func flush() { fflush(nil) }
}
