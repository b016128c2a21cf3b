internal import Foundation
internal import PluginABI

/// Reads a secret without showing it: from the terminal with echo off, or all of standard input without its last
/// newline.
enum HiddenInput {
    static func read(prompt: String) throws -> [UInt8] {
        let isTerminal = isatty(STDIN_FILENO) == 1
        var saved = termios()
        if isTerminal {
            FileHandle.standardError.write(Data(prompt.utf8))
            tcgetattr(STDIN_FILENO, &saved)
            var silent = saved
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer {
            if isTerminal {
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
                FileHandle.standardError.write(Data("\n".utf8))
            }
        }
        var value: [UInt8] = []
        var byte: UInt8 = 0
        while Glibc.read(STDIN_FILENO, &byte, 1) == 1 {
            if isTerminal, byte == 0x0A { break }
            value.append(byte)
            guard value.count <= 64 << 10 else { throw CommandFailure("the value is longer than 64 KiB") }
        }
        if !isTerminal, value.last == 0x0A { value.removeLast() }
        if !isTerminal, value.last == 0x0D { value.removeLast() }
        return value
    }
}
