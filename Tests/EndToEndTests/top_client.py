#!/usr/bin/env python3
"""Runs a full-screen program on a real pseudo-terminal and prints what a person would see, one JSON object a line.

    top_client.py --size 80x24 --expect WORD [--resize 40x10 --gone WORD] --end q|ctrl-c|term -- COMMAND…

The lines: {"screen": [...]} once WORD is on the screen, and after the resize once the word of --gone is not; then
{"status", "isRestored", "alternate", "cursor", "clears", "colours"}: the exit status, whether the terminal's settings
are those from before, how often the alternate screen and the hidden cursor were taken and given back, how often the
whole screen was cleared, and which SGR codes were used.
"""

import argparse
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte


class Session:
    def __init__(self, command, columns, rows):
        self.master, self.slave = pty.openpty()
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave, env={**os.environ, "TERM": "xterm"},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return
        data = os.read(self.master, 65536)
        self.raw += data
        self.stream.feed(data)

    def wait(self, condition, what):
        end = time.monotonic() + 30
        while not condition():
            if time.monotonic() > end:
                self.process.kill()
                sys.exit(f"{what} did not come within 30 s; the screen: {self.lines()}")
            self.read(0.05)

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def shows(self, word):
        return any(word in line for line in self.lines())


def parse():
    parser = argparse.ArgumentParser()
    size = lambda text: tuple(int(part) for part in text.split("x"))
    parser.add_argument("--size", type=size, required=True)
    parser.add_argument("--resize", type=size)
    parser.add_argument("--expect", required=True)
    parser.add_argument("--gone", help="what the smaller screen does not show")
    parser.add_argument("--end", choices=["q", "ctrl-c", "term"], required=True)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def main():
    options = parse()
    session = Session(options.command, *options.size)
    session.wait(lambda: session.shows(options.expect), options.expect)
    print(json.dumps({"screen": session.lines()}))
    if options.resize:
        session.resize(*options.resize)
        # A frame for the old size may still have been on its way.
        session.wait(lambda: session.shows(options.expect) and not session.shows(options.gone), "a smaller frame")
        print(json.dumps({"screen": session.lines()}))
    if options.end == "term":
        session.process.send_signal(signal.SIGTERM)
    else:
        os.write(session.master, b"q" if options.end == "q" else b"\x03")
    session.wait(lambda: session.process.poll() is not None, "the end")
    session.read(0.2)
    count = session.raw.count
    print(json.dumps({
        "status": session.process.returncode, "isRestored": termios.tcgetattr(session.slave) == session.before,
        "alternate": [count(b"\x1b[?1049h"), count(b"\x1b[?1049l")],
        "cursor": [count(b"\x1b[?25l"), count(b"\x1b[?25h")], "clears": count(b"\x1b[2J"),
        "colours": sorted({code.decode() for code in re.findall(rb"\x1b\[([0-9;]*)m", session.raw)}),
    }))


if __name__ == "__main__":
    main()
