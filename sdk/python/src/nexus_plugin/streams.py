"""What travels on streams: calls of the host, and what tools ask of the session meanwhile.

Tools are in other threads, so the tables of open streams and the order of sent frames are behind one lock.
"""

from __future__ import annotations

import _thread
import os

from .abi import CREDIT_BYTES, HANDSHAKE_BODY_BYTES, HEADER_BYTES, LOG_LEVELS, OPEN_HOST_CALLS, PLUGIN, TEXT_BYTES
from .errors import ABIError, Cancelled, ToolError, clipped, error_fields
from .frames import wipe
from .lifecycle import Lifecycle
from .link import HostGone, Outbox
from .messages import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from .calls import CallContext
    from .link import Link


class HostCall:
    """A request to the host that a tool waits for."""

    __slots__ = ("answer", "descriptor", "error", "is_answered", "parent", "stream")

    def __init__(self, stream: int, parent: CallContext) -> None:
        self.stream = stream
        self.parent = parent
        self.is_answered = False
        self.answer: tuple[Any, bytes] | None = None
        self.error: ToolError | None = None
        #: Of a socket that came with the answer and was not taken yet.
        self.descriptor: int | None = None

    def connection(self) -> socket.socket:
        """The connected socket that `net.connect` was answered with."""
        self.result()
        if self.descriptor is None:
            raise ToolError("internal-error", "the host's answer to net.connect brought no socket")
        from .services import connection

        descriptor, self.descriptor = self.descriptor, None
        return connection(descriptor)

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def result(self) -> tuple[Any, bytes]:
        if self.answer is None:
            raise self.error or Cancelled()
        return self.answer


class Streams:
    """The open streams of a session, and the way out for its frames."""

    def __init__(self, link: Link) -> None:
        self.lock = _thread.RLock()
        self.outbox = Outbox(link)
        self.body_limit = HANDSHAKE_BODY_BYTES
        #: Frames for streams that had already ended. They cross on the wire and mean nothing (ABI-7.3).
        self.late_frames = 0
        self.dropped_records = 0
        self._lifecycle = Lifecycle()
        self._calls: dict[int, CallContext] = {}
        self._last_call = 0
        self._host_calls: dict[int, HostCall] = {}
        self._next_host_call = 2
        #: The descriptor that came with the frame that is being handled, until somebody takes it.
        self._passed: int | None = None

    @property
    def state(self) -> str:
        return self._lifecycle.state

    def _call_ended(self) -> None:
        """A call has had its terminal frame."""

    # Calls of the host.

    def open(self, call: CallContext) -> None:
        with self.lock:
            self._calls[call._stream] = call

    def _open_call(self, kind: str, stream: int) -> CallContext | None:
        """The call of a frame that came on its stream; None if it is late."""
        if stream > self._last_call:
            raise ABIError("unknown-stream", f"{kind} for stream {stream}, which was never opened")
        with self.lock:
            call = self._calls.get(stream)
        if call is None:
            self.late_frames += 1
        return call

    def _on_credit(self, stream: int, message: dict[str, Any]) -> None:
        call = self._open_call("credit", stream)
        if call is None:
            return
        with self.lock:
            call._credit += message["bytes"]
            if call._credit > CREDIT_BYTES:
                raise ABIError(
                    "flow-control", f"{call._credit} bytes of credit on stream {stream}; at most {CREDIT_BYTES} are"
                )
        call._wake()

    def finish(self, call: CallContext, kind: str, message: dict[str, Any]) -> None:
        """Ends a call with its one terminal frame; a second one is not sent. Raises HostGone."""
        with self.lock:
            if self._calls.get(call._stream) is not call:
                return
            frame = encode(kind, call._stream, message)
            if len(frame) - HEADER_BYTES > self.body_limit:
                reason = f"the answer of {call.tool} has {len(frame)} bytes; the limit is {self.body_limit}"
                kind = "error"
                frame = encode(kind, call._stream, error_fields(ToolError("plugin-failed", reason)))
            del self._calls[call._stream]
            for slot in [one for one in self._host_calls.values() if one.parent is call]:
                del self._host_calls[slot.stream]
            call._wipe()
            self._put(kind, call._stream, frame)
        self.outbox.flush()
        self._call_ended()

    # What a tool asks of the session.

    def send(self, kind: str, stream: int = 0, message: dict[str, Any] | None = None, wait: bool = False) -> None:
        """Raises HostGone."""
        with self.lock:
            self._put(kind, stream, encode(kind, stream, message))
        self.outbox.flush(wait)

    def _put(self, kind: str, stream: int, frame: bytearray) -> None:
        try:
            self._lifecycle.advance(kind, stream, PLUGIN)
        except ABIError as error:
            wipe(frame)
            raise HostGone(f"the session is over: {error}") from None
        self.outbox.put(frame)

    def _send_for(self, call: CallContext, kind: str, message: dict[str, Any]) -> None:
        """A frame on a call's stream. Raises Cancelled if the call has ended."""
        try:
            with self.lock:
                if self._calls.get(call._stream) is not call:
                    raise Cancelled("the call has ended")
                self._put(kind, call._stream, encode(kind, call._stream, message))
            self.outbox.flush(wait=call._may_wait)
        except HostGone:
            raise Cancelled("the host is gone") from None

    def data(self, call: CallContext, data: memoryview) -> None:
        self._send_for(call, "data", {"bytes": data})

    def progress(self, call: CallContext, message: dict[str, Any]) -> None:
        if not (self.outbox.is_full and not call._may_wait):
            self._send_for(call, "progress", message)

    def log(self, level: str, message: str, fields: dict[str, Any], stream: int = 0) -> None:
        """Never fails: a record that cannot be sent is dropped and counted (ABI-9.8)."""
        from .strict_json import NotJSON
        from .strict_json import encode as encode_json

        try:
            document = encode_json(fields) if fields else None
        except NotJSON as error:
            document, message = None, f"{message} (its fields were dropped: {error})"
        record = {"level": LOG_LEVELS.get(level, 2), "message": clipped(message, TEXT_BYTES), "fields": document}
        with self.lock:
            call = self._calls.get(stream)
            place = stream if call is not None else 0
            may_wait = call is not None and call._may_wait
            frame = encode("log", place, record)
            if len(frame) - HEADER_BYTES > self.body_limit or (self.outbox.is_full and not may_wait):
                self.dropped_records += 1
                return
            try:
                self._put("log", place, frame)
            except HostGone:
                self.dropped_records += 1
                return
        self.outbox.flush(wait=may_wait)

    def open_host_call(self, call: CallContext, service: str, request: bytearray, data: bytes) -> HostCall:
        try:
            with self.lock:
                if len(self._host_calls) >= OPEN_HOST_CALLS:
                    raise ToolError("unavailable", f"{OPEN_HOST_CALLS} host calls are open; await one of them first")
                slot = HostCall(self._next_host_call, call)
                message = {
                    "service": service,
                    "parent": call._stream,
                    "json": request,
                    "bytes": data,
                    "traceparent": call.traceparent,
                }
                frame = encode("hostCall", slot.stream, message)
                if len(frame) - HEADER_BYTES > self.body_limit:
                    wipe(frame)
                    raise ToolError("invalid-arguments", f"a request of {len(frame)} bytes; at most {self.body_limit}")
                if self._calls.get(call._stream) is not call:
                    wipe(frame)
                    raise Cancelled("the call has ended")
                self._put("hostCall", slot.stream, frame)
                self._host_calls[slot.stream] = slot
                self._next_host_call += 2
            self.outbox.flush(wait=call._may_wait)
            return slot
        except HostGone:
            raise Cancelled("the host is gone") from None
        finally:
            wipe(request)

    def give_up(self, slot: HostCall) -> None:
        """Tells the host, if it has not answered, that nobody waits any more; if it still does, that is late."""
        with self.lock:
            if self._host_calls.pop(slot.stream, None) is None:
                return slot.close()
            try:
                self._put("cancel", slot.stream, encode("cancel", slot.stream, {"reason": "nobody waits"}))
            except HostGone:
                return
        self.outbox.flush()

    def _answered(self, kind: str, stream: int) -> HostCall | None:
        if stream >= self._next_host_call:
            raise ABIError("unknown-stream", f"{kind} for stream {stream}, which was never opened")
        with self.lock:
            slot = self._host_calls.pop(stream, None)
            if slot is not None:
                slot.descriptor, self._passed = self._passed, None
        if slot is None:
            self.late_frames += 1
        return slot

    def _settle(self, slot: HostCall | None, answer: tuple[Any, bytes] | None, error: ToolError | None) -> None:
        if slot is not None:
            slot.answer, slot.error, slot.is_answered = answer, error, True
            slot.parent._wake()

    def _on_result(self, stream: int, message: dict[str, Any]) -> None:
        self._settle(self._answered("result", stream), (message["json"].value, message["bytes"] or b""), None)

    def _on_error(self, stream: int, message: dict[str, Any]) -> None:
        text = message["message"]
        if not text.strip():
            text = f"the host says nothing but {message['code']}"
        error = ToolError(message["code"], text, message["retryable"] == 1)
        self._settle(self._answered("error", stream), None, error)

    def _on_cancelled(self, stream: int, message: dict[str, Any]) -> None:
        self._settle(self._answered("cancelled", stream), None, Cancelled())
