"""A fake host in the same process, for the tests of a plugin: no socket, no jail, no other process.

    def test_it_greets():
        with Harness(plugin) as host:
            answer = host.call("hello_greet", {"name": "Ada"})
            assert answer.value == {"greeting": "Hello, Ada!"}

The plugin's side is the real one, frame by frame; what breaks the protocol fails the test.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .abi import BODY_BYTES, HOST, LOG_LEVELS, PLUGIN
from .credentials import Credential
from .errors import ABIError, ToolError
from .fakes import Answer, FakeServices, HarnessError, HTTPRequest, LogRecord, MemoryLink, Progress
from .frames import Decoder, Frame
from .lifecycle import Lifecycle, highest_common
from .messages import decode, encode
from .plugin import Plugin
from .services import HTTPResponse
from .session import Session

__all__ = ["Answer", "HTTPRequest", "HTTPResponse", "Harness", "HarnessError", "LogRecord", "Pending", "Progress"]

_LEVELS = {number: name for name, number in LOG_LEVELS.items()}


class Pending:
    """A call that was begun."""

    def __init__(self, harness: Harness, stream: int, tool: str) -> None:
        self._harness = harness
        self._stream = stream
        self._tool = tool
        self._answer = Answer()
        self._is_done = False
        self._data = bytearray()
        self._credit = 256 << 10

    @property
    def progress(self) -> list[Progress]:
        return self._answer.progress

    @property
    def received(self) -> int:
        """Bytes of data that came so far."""
        return len(self._data)

    def cancel(self, reason: str = "") -> None:
        self._harness._send("cancel", self._stream, {"reason": reason})

    def grant(self, count: int) -> None:
        """Gives credit; for harnesses with `credit=False`."""
        self._credit += count
        self._harness._send("credit", self._stream, {"bytes": count})

    def wait(self, timeout: float = 10.0) -> Answer:
        self._harness._await(lambda: self._is_done, timeout, f"{self._tool} did not answer")
        return self._answer


class Harness:
    """Starts the plugin on entering and stops it on leaving.

    `http` answers `call.http`: a function, or responses by "METHOD endpoint path". `connect` answers `call.connect`
    with a socket, one end of a socketpair for instance, which the plugin then owns. `kv` is the plugin's store. With
    `credit=False` only `Pending.grant` gives credit for data beyond the first 256 KiB.
    """

    def __init__(
        self,
        plugin: Plugin,
        *,
        configuration: Mapping[str, Any] | None = None,
        http: Callable[[HTTPRequest], HTTPResponse] | Mapping[str, HTTPResponse] | None = None,
        kv: dict[str, bytes] | None = None,
        connect: Callable[[str, int], socket.socket] | None = None,
        credit: bool = True,
    ) -> None:
        self.kv: dict[str, bytes] = {} if kv is None else kv
        #: Records that belong to no call.
        self.logs: list[LogRecord] = []
        #: What a connector offered last.
        self.offered: dict[str, Any] | None = None
        self._configuration = dict(configuration or {})
        self._services = FakeServices(http, self.kv, connect)
        self._gives_credit = credit
        self._link = MemoryLink()
        self._plugin = plugin
        self._session = Session(plugin, self._link, lambda status: self._link.to_plugin.close())
        self._lifecycle = Lifecycle()
        self._changed = threading.Condition(threading.RLock())
        self._calls: dict[int, Pending] = {}
        self._next = 1
        self._failure: Exception | None = None
        self._pongs = 0

    def __enter__(self) -> Harness:
        self._plugin._session = self._session
        threading.Thread(target=self._run_plugin, name="nexus-reader", daemon=True).start()
        threading.Thread(target=self._read, name="nexus-host", daemon=True).start()
        self._await_state("greeted")
        self._send("welcome", 0, {"version": 1, "instance": f"{self._plugin.name}#1", "bodyLimit": BODY_BYTES})
        self._send("initialize", 0, {"configuration": json.dumps(self._configuration).encode()})
        self._await_state("initialized")
        self._send("start", 0, {})
        self._await_state("running")
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        try:
            if kind is None and self._lifecycle.state == "running":
                self.stop()
                self._send("dispose", 0, {})
                self._await_state("disposed")
        finally:
            self._link.to_plugin.close()
            self._link.to_host.close()
            self._plugin._session = None

    def call(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        credentials: Mapping[str, str | bytes] | None = None,
        timeout: float = 10.0,
        traceparent: str | None = None,
    ) -> Answer:
        """Calls a tool and waits for its answer."""
        pending = self.begin(tool, arguments, credentials=credentials, timeout=timeout, traceparent=traceparent)
        return pending.wait(timeout + 1)

    def begin(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        credentials: Mapping[str, str | bytes] | None = None,
        timeout: float = 10.0,
        traceparent: str | None = None,
    ) -> Pending:
        """Calls a tool; its deadline is `timeout` seconds away."""
        with self._changed:
            stream, self._next = self._next, self._next + 2
            pending = self._calls[stream] = Pending(self, stream, tool)
        secrets = {name: one.encode() if isinstance(one, str) else one for name, one in (credentials or {}).items()}
        message = {
            "tool": tool,
            "arguments": json.dumps(dict(arguments or {})).encode(),
            "deadline": int((time.time() + timeout) * 1000),
            "requestID": f"r{stream}",
            "traceparent": traceparent,
            "credential": [Credential(name, value) for name, value in secrets.items()],
        }
        self._send("call", stream, message)
        return pending

    def ping(self, timeout: float = 2.0) -> None:
        """Raises HarnessError if the plugin does not answer: something blocks its reader."""
        seen = self._pongs
        self._send("ping", 0, {"nonce": 7})
        self._await(lambda: self._pongs > seen, timeout, "the plugin did not answer a ping")

    def stop(self, seconds: float = 5.0) -> None:
        """Asks the plugin to stop; calls that run may end until the deadline."""
        self._send("stop", 0, {"deadline": int((time.time() + seconds) * 1000)})
        self._await_state("stopped", seconds + 1)

    # The host's side of the wire.

    def _run_plugin(self) -> None:
        try:
            self._session.run()
        finally:
            self._link.to_host.close()

    def _send(self, kind: str, stream: int, message: dict[str, Any], passed: int | None = None) -> None:
        with self._changed:
            self._lifecycle.advance(kind, stream, HOST)
            self._link.to_plugin.write(encode(kind, stream, message), passed)

    def _read(self) -> None:
        decoder = Decoder()
        try:
            while True:
                with decoder.space() as free:
                    count = self._link.to_host.read(free)
                if count == 0:
                    break
                decoder.filled(count)
                decoder.body_limit = BODY_BYTES
                frame = decoder.next()
                while frame is not None:
                    self._take(frame)
                    frame = decoder.next()
        except Exception as error:
            self._failure = error
        with self._changed:
            self._changed.notify_all()

    def _take(self, frame: Frame) -> None:
        message = decode(frame)
        with self._changed:
            self._lifecycle.advance(frame.kind, frame.stream, PLUGIN)
            if frame.kind == "hello":
                highest_common((1, 1), (message["versionMinimum"], message["versionMaximum"]))
            elif frame.kind == "abort":
                raise ABIError(message["code"], message["message"])
            elif frame.kind == "error" and frame.stream == 0:
                raise ToolError(message["code"], message["message"])
            elif frame.kind == "pong":
                self._pongs += 1
            elif frame.kind == "tools":
                self.offered = message["json"].value
            elif frame.kind == "log":
                self._take_log(frame.stream, message)
            elif frame.kind in ("result", "error", "cancelled", "progress", "data"):
                self._take_answer(frame.kind, frame.stream, message)
            self._changed.notify_all()
        if frame.kind == "hostCall":
            threading.Thread(target=self._serve, args=(frame.stream, message), daemon=True).start()

    def _take_log(self, stream: int, message: dict[str, Any]) -> None:
        fields = message["fields"].value if message["fields"] is not None else {}
        record = LogRecord(_LEVELS.get(message["level"], "info"), message["message"], fields)
        (self._calls[stream]._answer.logs if stream in self._calls else self.logs).append(record)

    def _take_answer(self, kind: str, stream: int, message: dict[str, Any]) -> None:
        pending = self._calls.get(stream)
        if pending is None or pending._is_done:
            raise ABIError("unknown-stream", f"{kind} for stream {stream}, which is not open")
        answer = pending._answer
        if kind == "progress":
            answer.progress.append(Progress(message["done"], message["total"], message["message"]))
        elif kind == "data":
            self._take_data(pending, message["bytes"])
        else:
            pending._data += message.get("bytes") or b""
            answer.data = bytes(pending._data)
            answer.is_cancelled = kind == "cancelled"
            if kind == "result":
                answer._value = message["json"].value
            elif kind == "error":
                answer.error = ToolError(message["code"], message["message"], message["retryable"] == 1)
            pending._is_done = True

    def _take_data(self, pending: Pending, data: bytes) -> None:
        pending._credit -= len(data)
        if pending._credit < 0:
            raise ABIError("flow-control", "data beyond the credit")
        pending._data += data
        if self._gives_credit:
            pending.grant(len(data))

    def _serve(self, stream: int, message: dict[str, Any]) -> None:
        request, passed = message["json"].value, None
        try:
            if message["service"] == "net.connect":
                passed = self._services.connect(request)
                value, data = {"connected": f"{request['host']}:{request['port']}"}, b""
            else:
                value, data = self._services.serve(message["service"], request, message["bytes"] or b"")
            answer = "result"
            fields: dict[str, Any] = {"json": json.dumps(value).encode(), "bytes": data}
        except Exception as error:
            told = error if isinstance(error, ToolError) else ToolError("internal-error", f"the fake host: {error!r}")
            answer = "error"
            fields = {"code": told.code, "message": told.message, "retryable": int(told.retryable)}
        try:
            self._send(answer, stream, fields, passed)
        except (ABIError, BrokenPipeError):
            return

    def _await_state(self, state: str, timeout: float = 10.0) -> None:
        self._await(lambda: self._lifecycle.state == state, timeout, f"the plugin did not become {state}")

    def _await(self, condition: Callable[[], bool], timeout: float, complaint: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._failure is not None, timeout)
            if self._failure is not None:
                raise HarnessError(f"{complaint}: {self._failure}") from self._failure
            if not condition():
                raise HarnessError(f"{complaint} within {timeout:g} s; it is {self._lifecycle.state}")
