"""Frames: a header of 16 bytes and a body, out of a byte stream that is cut anywhere (abi-v1.md section 4).

Bytes come from the host, which is trusted with what the plugin sees but parsed strictly. Some carry credentials, so
what is handed out is overwritten, and a buffer that grows leaves no copy behind.
"""

from __future__ import annotations

from .abi import HANDSHAKE_BODY_BYTES, HEADER_BYTES, KINDS, NAMES
from .errors import ABIError

CHUNK = 1 << 16
_ROOMY = 1 << 20


def wipe(data: bytearray | memoryview) -> None:
    """Overwrites bytes in place."""
    data[:] = bytes(len(data))


class Frame:
    """One frame as it came. Its body may hold credentials; whoever took the frame wipes it."""

    __slots__ = ("body", "kind", "stream")

    def __init__(self, kind: str, stream: int, body: bytearray) -> None:
        self.kind = kind
        self.stream = stream
        self.body = body

    def __repr__(self) -> str:
        return f"Frame({self.kind}, stream {self.stream}, {len(self.body)} bytes)"


def header(kind: str, stream: int, length: int) -> bytes:
    return length.to_bytes(4, "little") + bytes((KINDS[kind][0], 0, 0, 0)) + stream.to_bytes(8, "little")


class Decoder:
    """Turns bytes into frames. A header is judged as soon as it is there, before any of its body is awaited.

    After the first error there are no frame boundaries any more: every later call raises the same error.
    """

    def __init__(self, body_limit: int = HANDSHAKE_BODY_BYTES) -> None:
        self.body_limit = body_limit
        self._buffer = bytearray(CHUNK)
        self._start = 0
        self._end = 0
        self._failure: ABIError | None = None

    @property
    def pending(self) -> int:
        """Bytes held back because their frame is not complete."""
        return self._end - self._start

    def space(self, least: int = CHUNK) -> memoryview:
        """Where to read the next bytes to; `filled` says how many came. Release it before `next`."""
        if self._failure is not None:
            raise self._failure
        if len(self._buffer) - self._end < least:
            self._move(max(CHUNK, self.pending + least, 2 * self.pending))
        return memoryview(self._buffer)[self._end :]

    def filled(self, count: int) -> None:
        self._end += count

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Takes in what arrived. After an error nothing is stored any more."""
        if self._failure is None and data:
            with self.space(len(data)) as free:
                free[: len(data)] = data
            self.filled(len(data))

    def next(self) -> Frame | None:
        """The next complete frame, or None when more bytes are needed.

        Raises ABIError `frame-too-large`, `unknown-kind` or `malformed-frame`; then for ever.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._decode()
        except ABIError as error:
            self._failure = error
            self.clear()
            raise

    def clear(self) -> None:
        """Forgets and overwrites what is buffered."""
        wipe(self._buffer)
        self._start = self._end = 0

    def _decode(self) -> Frame | None:
        start = self._start
        if self._end - start < HEADER_BYTES:
            return None
        buffer = self._buffer
        length = int.from_bytes(buffer[start : start + 4], "little")
        if length > self.body_limit:
            raise ABIError(
                "frame-too-large", f"a frame announces a body of {length} bytes; the limit is {self.body_limit}"
            )
        kind = NAMES.get(buffer[start + 4])
        if kind is None:
            raise ABIError("unknown-kind", f"frame kind {buffer[start + 4]} is not defined")
        if buffer[start + 5]:
            raise ABIError("malformed-frame", f"flags must be 0, found {buffer[start + 5]}")
        if buffer[start + 6] or buffer[start + 7]:
            raise ABIError("malformed-frame", "the reserved bytes must be 0")
        body = start + HEADER_BYTES
        end = body + length
        if end > self._end:
            return None
        frame = Frame(kind, int.from_bytes(buffer[start + 8 : body], "little"), buffer[body:end])
        self._release(end)
        return frame

    def _release(self, end: int) -> None:
        """Overwrites what was handed out."""
        start, self._start = self._start, end
        self._buffer[start:end] = bytes(end - start)
        if end == self._end:
            self._start = self._end = 0
            if len(self._buffer) > _ROOMY:
                self._buffer = bytearray(CHUNK)

    def _move(self, capacity: int) -> None:
        """To memory with more room, leaving no copy behind."""
        old, pending = self._buffer, self.pending
        self._buffer = bytearray(capacity)
        with memoryview(old) as view:
            self._buffer[:pending] = view[self._start : self._end]
        wipe(old)
        self._start, self._end = 0, pending
