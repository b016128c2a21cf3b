"""What a tool sees of its call: `Call` in a plain function, `AsyncCall` in an `async def`."""

from __future__ import annotations

import time
from functools import partial

from .abi import DATA_BYTES, INITIAL_CREDIT_BYTES, TEXT_BYTES
from .credentials import Credential, scrubbed
from .errors import AuthorMistake, Cancelled, ToolError, clipped
from .streams import HostCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    from .services import HTTPResponse, KeyPage
    from .session import Session

    T = TypeVar("T")


def _is_traceparent(text: str | None) -> bool:
    parts = (text or "").split("-")
    return (
        [len(part) for part in parts[:4]] == [2, 32, 16, 2]
        and set("".join(parts[:4])) <= set("0123456789abcdef")
        and parts[0] != "ff"
        and (len(parts) == 4 or parts[0] != "00")
        and parts[1].strip("0") != ""
        and parts[2].strip("0") != ""
    )


class CallContext:
    """What both kinds of calls have."""

    #: Whether the thread that uses it may wait for room in the outbox; an asyncio loop may not.
    _may_wait = False

    def __init__(self, session: Session, stream: int, message: dict[str, Any]) -> None:
        self.tool: str = message["tool"]
        #: The host's name for this call, for correlation in logs.
        self.request_id: str = message["requestID"]
        #: When the host stops waiting, Unix time in seconds.
        self.deadline: float = message["deadline"] / 1000
        #: W3C Trace Context: the host's span of this call; None if there is none or it is not well formed (ABI-9.9).
        self.traceparent: str | None = message["traceparent"] if _is_traceparent(message["traceparent"]) else None
        self.tracestate: str | None = message["tracestate"] if self.traceparent else None
        self._credentials: dict[str, Credential] = {one.name: one for one in message["credential"]}
        self._session = session
        self._stream = stream
        self._credit = INITIAL_CREDIT_BYTES
        self._is_cancelled = False
        #: Whether its tool declares the media type of a byte payload.
        self._has_content = False
        self._done = 0

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; 0 once it has passed."""
        return max(0.0, self.deadline - time.time())

    @property
    def cancelled(self) -> bool:
        """True once the host cancelled the call or its deadline passed: nobody waits for its answer any more."""
        return self._is_cancelled or self.remaining == 0.0

    def check(self) -> None:
        """Raises Cancelled if nobody waits for the answer any more. For loops that do not wait for anything."""
        if self._is_cancelled:
            raise Cancelled
        if self.remaining == 0.0:
            raise Cancelled("the call's deadline passed", "deadline-exceeded")

    def credential(self, name: str) -> Credential:
        """A credential that the manifest declares for this tool.

        Raises ToolError `credential-missing` if the call came without it.
        """
        if name not in self._credentials:
            raise ToolError("credential-missing", f'{self.tool} needs the credential "{name}"; store it for this user')
        return self._credentials[name]

    def log(self, level: str, message: str, **fields: Any) -> None:
        """One record for the host's log. Level is debug, info, warning or error; fields are JSON values."""
        message = scrubbed(clipped(message, 2 * TEXT_BYTES), self._credentials)
        self._session.log(level, message, fields, self._stream)

    def progress(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """How far the call is, in units of your choice; `done` never falls."""
        if done < self._done:
            raise ValueError(f"progress must not fall: {done} after {self._done}")
        self._done = done
        text = None if message is None else clipped(scrubbed(message, self._credentials), TEXT_BYTES)
        self._session.progress(self, {"done": done, "total": total, "message": text})

    def _require_content(self) -> None:
        """Raises AuthorMistake for bytes whose media type nobody declared."""
        if not self._has_content:
            raise AuthorMistake(
                'it sends bytes of no media type (ABI-7.13); declare it: @plugin.tool(.., content="text/plain")'
            )

    def _take_credit(self, wanted: int) -> int | None:
        self.check()
        with self._session.lock:
            taken = min(wanted, self._credit, self._session.body_limit - 6, DATA_BYTES)
            self._credit -= taken
        return taken or None

    def _answer(self, slot: HostCall) -> HostCall | None:
        if slot.is_answered:
            return slot
        self.check()
        return None

    def _wake(self) -> None:
        """Has the tool look again: there is credit, an answer or a cancellation."""
        raise NotImplementedError

    def _wipe(self) -> None:
        for credential in self._credentials.values():
            credential.wipe()


class Call(CallContext):
    """The call of a plain function, which runs in a thread of its own. Its methods wait; they raise Cancelled."""

    _may_wait = True

    def __init__(self, session: Session, stream: int, message: dict[str, Any]) -> None:
        super().__init__(session, stream, message)
        import threading

        self._changed = threading.Condition()

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Streams a part of the answer's byte payload. Waits until the host has room for it."""
        self._require_content()
        with memoryview(data) as whole, whole.cast("B") as view:
            position = 0
            while position < len(view):
                count = self._wait(partial(self._take_credit, len(view) - position))
                self._session.data(self, view[position : position + count])
                position += count

    def host(self, service: str, request: Mapping[str, Any], data: bytes = b"") -> tuple[Any, bytes]:
        """Calls a host service by its name; most have a method of their own. Raises ToolError."""
        from .strict_json import encode

        return self._host(service, bytearray(encode(dict(request))), data)

    def http(
        self,
        endpoint: str,
        path: str,
        *,
        method: str = "GET",
        query: str | None = None,
        headers: Mapping[str, str | Credential] | None = None,
        sealed: Sequence[str] = (),
        body: bytes = b"",
    ) -> HTTPResponse:
        """Has the host make an HTTPS request to an endpoint of the manifest; path and query are percent-encoded.

        A header may be a credential. `sealed` names credentials that the host puts in, or signs with, as plugin.json
        says for the endpoint; the plugin never sees them. Whatever the status, the response is returned. Raises
        ToolError `permission-denied`, `unavailable`, `deadline-exceeded`, `invalid-arguments` or Cancelled.
        """
        from .services import HTTPResponse, http_request

        request = http_request(endpoint, path, method, query, headers or {}, sealed)
        return HTTPResponse.of(*self._host("http.fetch", request, body))

    def connect(self, host: str, port: int) -> socket.socket:
        """A TCP connection that the host makes to a host and port of the manifest (permission net.connect).

        It is a blocking socket, the plugin's own until it is closed, and can be connected to nothing else. Raises
        ToolError `permission-denied`, `unavailable`, `invalid-arguments` or Cancelled.
        """
        from .services import connect_request

        return self._ask("net.connect", connect_request(host, port), b"", HostCall.connection)

    def kv_get(self, key: str) -> bytes | None:
        """A value of the plugin's own store; None where there is none."""
        value, data = self.host("kv.get", {"key": key})
        return data if value.get("found") else None

    def kv_put(self, key: str, value: bytes) -> None:
        self.host("kv.put", {"key": key}, value)

    def kv_delete(self, key: str) -> bool:
        """True if there was one."""
        return bool(self.host("kv.delete", {"key": key})[0].get("existed"))

    def kv_list(self, prefix: str = "", after: str = "", limit: int = 100) -> KeyPage:
        from .services import KeyPage, list_request

        return KeyPage.of(self.host("kv.list", list_request(prefix, after, limit))[0])

    def events(self, after: int = 0, limit: int = 100) -> dict[str, Any]:
        """What the host recorded, for reporting plugins: {"events": [..], "more": bool}."""
        page: dict[str, Any] = self.host("events.read", {"after": after, "limit": limit})[0]
        return page

    def _host(self, service: str, request: bytearray, data: bytes) -> tuple[Any, bytes]:
        return self._ask(service, request, data, HostCall.result)

    def _ask(self, service: str, request: bytearray, data: bytes, take: Callable[[HostCall], T]) -> T:
        self.check()
        slot = self._session.open_host_call(self, service, request, data)
        try:
            return take(self._wait(lambda: self._answer(slot)))
        finally:
            self._session.give_up(slot)

    def _wait(self, ready: Callable[[], T | None]) -> T:
        with self._changed:
            while True:
                got = ready()
                if got is not None:
                    return got
                self._changed.wait(min(self.remaining + 0.001, 3_600))

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class AsyncCall(CallContext):
    """The call of an `async def`. The host's cancel and the deadline cancel its task: asyncio.CancelledError."""

    def __init__(self, session: Session, stream: int, message: dict[str, Any]) -> None:
        super().__init__(session, stream, message)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._futures: list[asyncio.Future[None]] = []
        #: Whether the log says that it blocks the loop.
        self._is_told = False

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Streams a part of the answer's byte payload. Waits until the host has room for it."""
        self._require_content()
        with memoryview(data) as whole, whole.cast("B") as view:
            position = 0
            while position < len(view):
                count = await self._wait(partial(self._take_credit, len(view) - position))
                self._session.data(self, view[position : position + count])
                position += count

    async def host(self, service: str, request: Mapping[str, Any], data: bytes = b"") -> tuple[Any, bytes]:
        """See `Call.host`."""
        from .strict_json import encode

        return await self._host(service, bytearray(encode(dict(request))), data)

    async def http(
        self,
        endpoint: str,
        path: str,
        *,
        method: str = "GET",
        query: str | None = None,
        headers: Mapping[str, str | Credential] | None = None,
        sealed: Sequence[str] = (),
        body: bytes = b"",
    ) -> HTTPResponse:
        """See `Call.http`."""
        from .services import HTTPResponse, http_request

        request = http_request(endpoint, path, method, query, headers or {}, sealed)
        return HTTPResponse.of(*await self._host("http.fetch", request, body))

    async def connect(self, host: str, port: int) -> socket.socket:
        """See `Call.connect`; for `asyncio.open_connection(sock=...)`."""
        from .services import connect_request

        return await self._ask("net.connect", connect_request(host, port), b"", HostCall.connection)

    async def kv_get(self, key: str) -> bytes | None:
        value, data = await self.host("kv.get", {"key": key})
        return data if value.get("found") else None

    async def kv_put(self, key: str, value: bytes) -> None:
        await self.host("kv.put", {"key": key}, value)

    async def kv_delete(self, key: str) -> bool:
        return bool((await self.host("kv.delete", {"key": key}))[0].get("existed"))

    async def kv_list(self, prefix: str = "", after: str = "", limit: int = 100) -> KeyPage:
        from .services import KeyPage, list_request

        return KeyPage.of((await self.host("kv.list", list_request(prefix, after, limit)))[0])

    async def events(self, after: int = 0, limit: int = 100) -> dict[str, Any]:
        page: dict[str, Any] = (await self.host("events.read", {"after": after, "limit": limit}))[0]
        return page

    async def _host(self, service: str, request: bytearray, data: bytes) -> tuple[Any, bytes]:
        return await self._ask(service, request, data, HostCall.result)

    async def _ask(self, service: str, request: bytearray, data: bytes, take: Callable[[HostCall], T]) -> T:
        self.check()
        slot = self._session.open_host_call(self, service, request, data)
        try:
            return take(await self._wait(lambda: self._answer(slot)))
        finally:
            self._session.give_up(slot)

    async def _wait(self, ready: Callable[[], T | None]) -> T:
        assert self._loop is not None, "set before the tool runs"
        while True:
            got = ready()
            if got is not None:
                return got
            future: asyncio.Future[None] = self._loop.create_future()
            self._futures.append(future)
            await future

    def _wake(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._look_again)

    def _look_again(self) -> None:
        futures, self._futures = self._futures, []
        for future in futures:
            if not future.done():
                future.set_result(None)
        if self._is_cancelled and self._task is not None:
            self._task.cancel()
