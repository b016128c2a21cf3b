internal import FoundationEssentials
internal import HostCore
internal import JSONBytes
internal import Synchronization

/// A call whose bytes are handed on as they come. Each line of the answer is a JSON object: `{"bytes"}` in base64, any
/// number of times; then `{"result"}` or `{"error"}`. Without such a last line the answer was cut off.
extension AdminAPI {
    func streamTool(_ call: Call) async throws(HostError) -> WireResponse {
        let answer = AnswerStream()
        let request = Self.toolRequest(call, stream: answer)
        let work = Task { [pipeline] in
            let outcome: Result<ToolResult, HostError>
            do throws(HostError) {
                outcome = .success(try await pipeline.call(request))
            } catch {
                outcome = .failure(error)
            }
            answer.end(isWhole: (try? outcome.get()) != nil)
            return outcome
        }
        // Until the first byte, a refusal still has its HTTP status.
        let begins = await withTaskCancellationHandler {
            await answer.begins()
        } onCancel: {
            work.cancel()
        }
        if !begins, case .failure(let error) = await work.value { throw error }
        var response = WireResponse(status: 200, headers: [("content-type", "application/x-ndjson")])
        let isOver = Atomic(false)
        response.stream = BodyStream {
            if let bytes = await answer.next() { return Self.line(bytes) }
            guard !Task.isCancelled, !isOver.exchange(true, ordering: .relaxed) else { return nil }
            return Self.lastLine(await work.value)
        } close: {
            work.cancel()
        }
        return response
    }

    static func toolRequest(_ call: Call, stream: AnswerStream? = nil) -> ToolRequest {
        ToolRequest(
            tool: call.names[0], arguments: call.request.copiedBody, presented: call.request.presented, surface: "api",
            traceparent: call.request.header("traceparent"), tracestate: call.request.header("tracestate"),
            milliseconds: call.request.query["milliseconds"].flatMap(UInt64.init), stream: stream)
    }

    private static func line(_ bytes: [UInt8]) -> [UInt8] {
        // Base64 needs no escapes.
        Array("{\"bytes\":\"".utf8) + Array(Data(bytes).base64EncodedData()) + Array("\"}\n".utf8)
    }

    private static func lastLine(_ outcome: Result<ToolResult, HostError>) -> [UInt8] {
        switch outcome {
        // As the plugin wrote it, but on one line: in JSON a line break stands between tokens only.
        case .success(let result):
            Array("{\"result\":".utf8) + result.json.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 } + Array("}\n".utf8)
        case .failure(let error): failure(error).body + [0x0A]
        }
    }
}
