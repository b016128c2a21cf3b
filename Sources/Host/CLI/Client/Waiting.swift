internal import Foundation

/// A line on the terminal while something takes its time: what is waited for, and for how many seconds already. It goes
/// to standard error and is gone afterwards; where that is no terminal there is none.
enum Waiting {
    static func shown<Value>(
        _ what: String, isQuiet: Bool, _ body: () async throws -> Value
    ) async throws -> Value {
        guard !isQuiet, isatty(STDERR_FILENO) == 1 else { return try await body() }
        let begin = ContinuousClock.now
        let line = Task {
            while !Task.isCancelled {
                write("\r\(what): \((ContinuousClock.now - begin).components.seconds) s")
                try? await Task.sleep(for: .seconds(1))
            }
            write("\r\u{1B}[K")
        }
        do {
            let value = try await body()
            line.cancel()
            await line.value
            return value
        } catch {
            line.cancel()
            await line.value
            throw error
        }
    }

    private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
