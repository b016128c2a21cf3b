"""Notices an asyncio loop that does not turn: the reader answers the host's pings, so nobody else would (ABI-6.6)."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

#: A loop that has not come around for so long is blocked.
BLOCKED_SECONDS = 2.0
#: The same when another ping has come meanwhile.
PING_SECONDS = 0.5


class LoopWatch:
    """With each ping a mark goes through the loop. One that does not come out in time tells that the loop is blocked.

    The reader alone calls it; `blocked` says who blocks it.
    """

    def __init__(self, blocked: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        self._blocked = blocked
        self._marked: float | None = None
        self._is_told = False

    def ping(self, loop: asyncio.AbstractEventLoop) -> None:
        """A ping has come."""
        since = self._marked
        if since is None:
            self._is_told = False
            self._marked = time.monotonic()
            loop.call_soon_threadsafe(self._passed)
        elif time.monotonic() - since >= PING_SECONDS:
            self._tell(loop)

    def patience(self) -> float | None:
        """Seconds after which `look` should be called; None if there is nothing to look for."""
        since = self._marked
        if since is None or self._is_told:
            return None
        return max(0.0, since + BLOCKED_SECONDS - time.monotonic())

    def look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tells of a mark that is overdue."""
        if self.patience() == 0.0:
            self._tell(loop)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_told = True
        self._blocked(loop)

    def _passed(self) -> None:
        self._marked = None
