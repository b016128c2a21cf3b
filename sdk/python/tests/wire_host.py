"""A host at the other end of a real socket, that does exactly what a test says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from nexus_plugin.abi import BODY_BYTES
from nexus_plugin.frames import Decoder
from nexus_plugin.link import SocketLink
from nexus_plugin.messages import decode, encode
from nexus_plugin.plugin import Plugin
from nexus_plugin.session import Session

SRC = Path(__file__).resolve().parents[1] / "src"
FAR = 4_102_444_800_000


class WireHost:
    """Speaks frames on a socket."""

    def __init__(self) -> None:
        self.socket, self.other = socket.socketpair()
        self.socket.settimeout(10)
        self._decoder = Decoder(BODY_BYTES)

    def send(self, kind: str, stream: int = 0, **message: Any) -> None:
        self.raw(encode(kind, stream, message))

    def raw(self, data: bytes | bytearray) -> None:
        self.socket.sendall(data)

    def receive(self) -> tuple[str, int, dict[str, Any]]:
        """The next frame; ("eof", 0, {}) at the end."""
        frame = self._decoder.next()
        while frame is None:
            try:
                data = self.socket.recv(65_536)
            except ConnectionResetError:
                data = b""
            if not data:
                return "eof", 0, {}
            self._decoder.feed(data)
            frame = self._decoder.next()
        return frame.kind, frame.stream, decode(frame)

    def expect(self, kind: str, stream: int = 0) -> dict[str, Any]:
        found = self.receive()
        assert found[:2] == (kind, stream), found
        return found[2]

    def call(self, stream: int, tool: str, arguments: str = "{}", deadline: int = FAR, **more: Any) -> None:
        self.send(
            "call", stream, tool=tool, arguments=arguments.encode(), deadline=deadline, requestID=f"r{stream}", **more
        )

    def welcome(self) -> None:
        self.expect("hello")
        self.send("welcome", version=1, instance="test#1", bodyLimit=BODY_BYTES)

    def start(self) -> None:
        self.welcome()
        self.send("initialize", configuration=b"{}")
        self.expect("initialized")
        self.send("start")
        self.expect("started")

    def close(self) -> None:
        self.socket.close()
        self.other.close()


class Threaded(WireHost):
    """With a session in this process, on a thread."""

    def __init__(self, plugin: Plugin) -> None:
        super().__init__()
        self.session = Session(plugin, SocketLink(self.other.fileno()))
        self.status: int | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.status = self.session.run()

    def close(self) -> None:
        self.socket.close()
        self.ended()  # before its descriptor may mean another socket
        self.other.close()

    def ended(self, seconds: float = 5.0) -> int | None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the session goes on"
        return self.status


class Process(WireHost):
    """With a plugin in a process of its own, the socket on descriptor 3."""

    def __init__(self, source: str, folder: Path, *arguments: str, python: str = sys.executable) -> None:
        super().__init__()
        path = folder / "plugin.py"
        path.write_text(source, encoding="utf-8")
        self._start([python, "-B", str(path), *arguments], {"PYTHONPATH": str(SRC), "PATH": os.environ["PATH"]})

    def _start(self, command: list[str], environment: dict[str, str]) -> None:
        # The shell puts the socket on descriptor 3 and closes its other one.
        script = f'exec 3<&{self.other.fileno()} {self.other.fileno()}<&-; exec "$@"'
        if self.other.fileno() == 3:
            script = 'exec "$@"'
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", script, "bash", *command],
            pass_fds=[self.other.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self.other.close()

    def ended(self, seconds: float = 5.0) -> tuple[int, str, str]:
        output, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, output.decode(), errors.decode()

    def close(self) -> None:
        super().close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
