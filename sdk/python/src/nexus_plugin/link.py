"""The socket, and whose turn it is to write to it.

A side that waits to write must go on reading (ABI-3.4), so the reader never waits here: whoever finds the outbox idle
writes as long as the socket takes it, and a thread of its own takes over when it is full.
"""

from __future__ import annotations

import _socket
import _thread
import os
import select
import sys
from collections import deque

from .frames import wipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Link(Protocol):
        """Where the session's bytes go. The harness has one without a socket."""

        #: A descriptor that came with the last bytes received, for whoever takes it (ABI-7.22).
        passed: int | None

        def receive(self, into: memoryview) -> int:
            """Waits for bytes; 0 at the end of file."""

        def is_readable(self, seconds: float) -> bool:
            """True if `receive` would not wait; waits for that so long."""

        def is_writable(self, wait: bool) -> bool:
            """True if `send` would not block; waits for that if it should."""

        def send(self, data: memoryview) -> int:
            """Writes some of it. Raises OSError if the peer is gone."""


#: A Unix socket that poll(2) calls writable has room for this much, so that write(2) does not block.
_PIECE = 1 << 15
_INT = 4
#: Control data of one descriptor: a frame brings no more (ABI-7.21).
_ROOM = _socket.CMSG_SPACE(_INT)


class SocketLink:
    """A connected stream socket by its descriptor. It asks the kernel for poll(2), recvmsg(2) and write(2) alone."""

    def __init__(self, descriptor: int) -> None:
        self.passed: int | None = None
        self._descriptor = descriptor
        # The C type: `socket` imports a good deal. Its family is named, so that the kernel is not asked for it.
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, descriptor)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._poll_in = select.poll()
        self._poll_in.register(descriptor, select.POLLIN)

    def receive(self, into: memoryview) -> int:
        try:
            count, controls, _, _ = self._socket.recvmsg_into([into], _ROOM, _socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            return 0
        for level, kind, data in controls:
            if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS) and len(data) >= _INT:
                self.passed = int.from_bytes(data[:_INT], sys.byteorder)
        return count

    def __del__(self) -> None:
        """The descriptor is not this object's to close."""
        self._socket.detach()

    def is_readable(self, seconds: float) -> bool:
        return bool(self._poll_in.poll(int(seconds * 1000) + 1))

    def is_writable(self, wait: bool) -> bool:
        return bool(self._poll.poll(None if wait else 0))

    def send(self, data: memoryview) -> int:
        return os.write(self._descriptor, data[:_PIECE])


class HostGone(Exception):
    """The host does not read any more."""


class Outbox:
    """Frames on their way out, in order. Each is overwritten once it is written."""

    #: Above this, senders that may wait do, and records that may be dropped are.
    FULL_BYTES = 1 << 20
    #: Above this the host is taken for gone: it does not read what it asks for.
    BROKEN_BYTES = 64 << 20

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = _thread.allocate_lock()
        self._frames: deque[bytearray] = deque()
        self._sent = 0
        self._bytes = 0
        self._busy = False
        self._waiters: list[_thread.LockType] = []
        self.is_broken = False
        #: The thread that reads, which must not wait here.
        self.reader: int | None = None

    @property
    def is_full(self) -> bool:
        return self._bytes > self.FULL_BYTES

    def put(self, frame: bytearray) -> None:
        """Queues a frame; `flush` sends it. Raises HostGone."""
        with self._lock:
            if not self.is_broken:
                self._frames.append(frame)
                self._bytes += len(frame)
        if self._bytes > self.BROKEN_BYTES:
            self._break()
        if self.is_broken:
            wipe(frame)
            raise HostGone

    def flush(self, wait: bool = False) -> None:
        """Writes what is queued, or leaves it to whoever is writing. With `wait`, only returns once there is room."""
        while True:
            with self._lock:
                mine = not self._busy and bool(self._frames)
                self._busy = self._busy or mine
            if mine and not self._drain(False):
                self._hand_over()
            if not wait or not self.is_full or self.is_broken:
                return
            turn = _thread.allocate_lock()
            turn.acquire()
            with self._lock:
                self._waiters.append(turn)
            if self._busy and self.is_full and not self.is_broken:
                turn.acquire()

    def _hand_over(self) -> None:
        """The socket is full: a thread of its own goes on. Without one, this thread waits itself, unless it reads."""
        try:
            _thread.start_new_thread(self._drain, (True,))
        except (RuntimeError, MemoryError):
            if _thread.get_ident() != self.reader:
                self._drain(True)
                return
            with self._lock:  # whoever flushes next tries again; the host's next ping does, if nobody else
                self._busy = False
                self._wake()

    def finish(self, seconds: float) -> None:
        """Waits until everything is written, but not longer than this."""
        import time

        end = time.monotonic() + seconds
        self.flush()
        while (self._busy or self._frames) and not self.is_broken and time.monotonic() < end:
            time.sleep(0.001)
            self.flush()

    def _drain(self, wait: bool) -> bool:
        """Writes until nothing is left; False if the socket is full and it must not wait."""
        try:
            while True:
                with self._lock:
                    if not self._frames:
                        self._busy = False
                        self._wake()
                        return True
                    frame = self._frames[0]
                with memoryview(frame) as view:
                    while self._sent < len(frame):
                        if not self._link.is_writable(wait):
                            return False
                        with view[self._sent :] as rest:
                            self._sent += self._link.send(rest)
                wipe(frame)
                with self._lock:
                    if self._frames:
                        self._frames.popleft()
                    self._sent = 0
                    self._bytes -= len(frame)
                    if not self.is_full:
                        self._wake()
        except OSError:
            self._break()
            return True

    def _break(self) -> None:
        with self._lock:
            self.is_broken = True
            self._busy = False
            for frame in self._frames:
                wipe(frame)
            self._frames.clear()
            self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for turn in waiters:
            turn.release()
