import JSONBytes
import Logging
import PluginABI
import PluginSDKLogging
import PluginSDKTesting
import Testing

@testable import PluginSDK

@Suite(.timeLimit(.minutes(1))) struct PluginLogHandlerTests {
    private func records(_ write: @escaping @Sendable (Logger) -> Void) async throws -> [Message.LogRecord] {
        let plugin = Plugin(name: "sample")
        plugin.tool("act") { call in
            write(call.logger("orders"))
            return .json([:])
        }
        let harness = try await PluginHarness(plugin)
        let answer = await harness.call("act")
        try await harness.stop()
        return answer.logs
    }

    @Test func metadataBecomesFieldsAndTheNearestWins() async throws {
        let records = try await records { logger in
            var logger = logger
            logger[metadataKey: "pair"] = "BTC"
            logger[metadataKey: "venue"] = "x"
            logger.info("sold", metadata: ["venue": "y", "parts": ["1", "2"], "who": ["name": .stringConvertible(7)]])
        }
        let record = try #require(records.first)
        #expect(records.count == 1 && record.level == .info && record.message == "sold")
        #expect(
            try JSONValue(parsing: record.fields ?? []) == [
                "logger": "orders", "pair": "BTC", "parts": ["1", "2"], "venue": "y", "who": ["name": "7"],
            ])
    }

    @Test func levelsOfSwiftLogBecomeThoseOfTheABI() async throws {
        let records = try await records { logger in
            var logger = logger
            logger.logLevel = .trace
            for level in Logger.Level.allCases { logger.log(level: level, "m") }
        }
        #expect(records.map(\.level) == [.debug, .debug, .info, .info, .warning, .error, .error])
    }

    @Test func recordsOutsideOfCallsGoToTheJournal() async throws {
        let plugin = Plugin(name: "sample")
        let handler = PluginLogHandler(label: "life", journal: plugin.journal)
        let logger = Logger(label: "life") { _ in handler }
        plugin.onInitialize { _ in logger.warning("configured") }
        let harness = try await PluginHarness(plugin)
        try await harness.stop()
        #expect(harness.logs.map(\.message) == ["configured"])
    }
}
