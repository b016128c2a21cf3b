import Foundation
import JSONBytes
import SpecVectors
import Testing

/// Other implementations of the same signatures, from PyPI (`scripts/mcp-venv` installs them).
enum SignatureOracle {
    static func ask(_ what: String, _ wish: JSONValue) throws -> JSONValue {
        let python = "\(SpecFiles.root)/.build/venv-mcp/bin/python"
        try #require(FileManager.default.isExecutableFile(atPath: python), "run scripts/mcp-venv first")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["\(SpecFiles.root)/Tests/HostCoreTests/signature_oracle.py"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(
            contentsOf: Data(JSONValue.object(JSONObject([(what, wish)])).encoded()))
        try input.fileHandleForWriting.close()
        let answer = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the oracle failed; see its standard error")
        return try JSONValue(parsing: Array(answer))
    }
}
