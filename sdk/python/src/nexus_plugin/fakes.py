"""What the harness is made of: the records that a test looks at, a link without a socket, and fake host services."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import NexusError, ToolError
from .services import HTTPResponse


class HarnessError(NexusError, AssertionError):
    """The plugin could not start, broke the protocol or did not answer in time."""


@dataclass(frozen=True)
class Progress:
    done: int
    total: int | None
    message: str | None


@dataclass(frozen=True)
class LogRecord:
    level: str
    message: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class HTTPRequest:
    """What a tool asked `call.http` for. Credentials in headers are in the clear, as the real host would see them;
    sealed ones are names, as the host would put them in."""

    endpoint: str
    method: str
    path: str
    query: str | None
    headers: dict[str, str]
    body: bytes
    sealed: tuple[str, ...] = ()


@dataclass
class Answer:
    """How a call ended. `data` is the whole byte payload."""

    error: ToolError | None = None
    is_cancelled: bool = False
    data: bytes = b""
    progress: list[Progress] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    _value: Any = None

    @property
    def value(self) -> Any:
        """The result. Raises the ToolError with which the call ended instead."""
        if self.error is not None:
            raise self.error
        if self.is_cancelled:
            raise HarnessError("the call was cancelled and has no result")
        return self._value


class Pipe:
    """Bytes from one side to the other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: deque[tuple[bytes, int | None]] = deque()
        #: The descriptor that came with the last bytes read.
        self.passed: int | None = None
        self._is_closed = False

    def write(self, data: bytes | bytearray | memoryview, passed: int | None = None) -> None:
        with self._changed:
            if self._is_closed:
                raise BrokenPipeError
            self._pieces.append((bytes(data), passed))
            self._changed.notify_all()

    def read(self, into: memoryview) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._is_closed)
            if not self._pieces:
                return 0
            piece, self.passed = self._pieces.popleft()
            count = min(len(piece), len(into))
            into[:count] = piece[:count]
            if count < len(piece):
                self._pieces.appendleft((piece[count:], None))
            return count

    def is_readable(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._pieces) or self._is_closed, seconds)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


class MemoryLink:
    def __init__(self) -> None:
        self.to_plugin, self.to_host = Pipe(), Pipe()

        self.passed: int | None = None

    def receive(self, into: memoryview) -> int:
        count = self.to_plugin.read(into)
        self.passed = self.to_plugin.passed
        return count

    def is_readable(self, seconds: float) -> bool:
        return self.to_plugin.is_readable(seconds)

    def is_writable(self, wait: bool) -> bool:
        return True

    def send(self, data: memoryview) -> int:
        self.to_host.write(data)
        return len(data)


class FakeServices:
    """Host services for `call.http`, `call.connect` and `call.kv_*`."""

    def __init__(
        self,
        http: Callable[[HTTPRequest], HTTPResponse] | Mapping[str, HTTPResponse] | None,
        kv: dict[str, bytes],
        connect: Callable[[str, int], socket.socket] | None = None,
    ) -> None:
        self._http = http
        self._connect = connect
        self.kv = kv

    def connect(self, request: dict[str, Any]) -> int:
        """The descriptor that the plugin gets; the test's socket is handed over."""
        if self._connect is None:
            raise ToolError("permission-denied", "the test offers no connections; give Harness(connect=..) some")
        return self._connect(request["host"], request["port"]).detach()

    def serve(self, service: str, request: dict[str, Any], data: bytes) -> tuple[Any, bytes]:
        if service == "http.fetch":
            response = self._fetch(request, data)
            return {"status": response.status, "headers": response.headers}, response.body
        if service == "kv.get":
            return {"found": request["key"] in self.kv}, self.kv.get(request["key"], b"")
        if service == "kv.put":
            self.kv[request["key"]] = data
            return {}, b""
        if service == "kv.delete":
            return {"existed": self.kv.pop(request["key"], None) is not None}, b""
        if service == "kv.list":
            found = sorted((one for one in self.kv if one.startswith(request.get("prefix", ""))), key=str.encode)
            found = [one for one in found if one.encode() > request.get("after", "").encode()]
            limit = request.get("limit", 100)
            return {"keys": found[:limit], "more": len(found) > limit}, b""
        raise ToolError("permission-denied", f"the fake host has no service {service}")

    def _fetch(self, request: dict[str, Any], body: bytes) -> HTTPResponse:
        wanted = HTTPRequest(
            request["endpoint"],
            request["method"],
            request["path"],
            request.get("query"),
            request.get("headers", {}),
            body,
            tuple(request.get("sealed", ())),
        )
        if callable(self._http):
            return self._http(wanted)
        key = f"{wanted.method} {wanted.endpoint} {wanted.path}"
        if self._http is None or key not in self._http:
            raise ToolError("permission-denied", f'the test has no response for "{key}"; give Harness(http=..) one')
        return self._http[key]
