"""Where tools run: plain functions in threads, `async def` in an asyncio loop of its own. Both begin when needed."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections import deque

from .abi import TEXT_BYTES
from .calls import AsyncCall, Call, CallContext
from .credentials import scrubbed
from .errors import AuthorMistake, Cancelled, ToolError, clipped, error_fields
from .link import HostGone
from .plugin import Result, Tool
from .strict_json import NotJSON, encode, parse
from .watching import LoopWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from typing import Any

    from .session import Session

#: The call that this thread or task works for; for log records made without one at hand.
current_call: contextvars.ContextVar[CallContext | None] = contextvars.ContextVar("nexus_call", default=None)


class Runner:
    """Runs calls and hooks. Threads are daemons: the end of the session does not wait for them."""

    def __init__(self, session: Session, max_threads: int) -> None:
        self._session = session
        self._max_threads = max_threads
        self._changed = threading.Condition()
        #: A call, what runs it, and what answers it where no thread can.
        self._jobs: deque[tuple[CallContext | None, Callable[[], None], Callable[[], None]]] = deque()
        self._threads = 0
        self._idle = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch = LoopWatch(self._loop_is_blocked)
        self._async_calls: set[AsyncCall] = set()

    def start(self, stream: int, message: dict[str, Any]) -> None:
        """Begins a call, in a thread or in the loop."""
        plugin, name = self._session.plugin, message["tool"]
        tool = plugin.tools.get(name) or plugin.operations.get(name)
        call = (AsyncCall if tool is not None and tool.is_async else Call)(self._session, stream, message)
        call._has_content = tool is not None and "content" in tool.entry
        self._session.open(call)
        if tool is None:
            known = ", ".join(plugin.tools) or "none"
            error = ToolError("unknown-tool", f'{plugin.name} has no tool "{name}"; it has: {known}')
            self._session.finish(call, "error", error_fields(error))
        elif isinstance(call, AsyncCall):
            try:
                loop = call._loop = self._started_loop()
            except (RuntimeError, MemoryError, OSError):
                return self._refuse(call)
            loop.call_soon_threadsafe(self._start_task, call, tool, message["arguments"].value)
        else:
            self._submit(
                call, lambda: self._run(call, tool, message["arguments"].value), lambda: self._refuse(call)
            )

    def _refuse(self, call: CallContext) -> None:
        self._finish(call, "error", error_fields(_no_room()))

    def withdraw(self, call: CallContext) -> bool:
        """Ends a call that has not begun; false if it has."""
        with self._changed:
            queued = [job for job in self._jobs if job[0] is call]
            for job in queued:
                self._jobs.remove(job)
        if queued:
            self._session.finish(call, "cancelled", {"reason": "cancelled before it began"})
        return bool(queued)

    def at(self, when: float, action: Callable[[int], None], argument: int) -> None:
        """Acts at a Unix time in seconds."""
        timer = threading.Timer(max(0.0, when - time.time()), self._quietly, (lambda: action(argument),))
        timer.daemon = True
        try:
            timer.start()
        except (RuntimeError, MemoryError):
            self._quietly(lambda: action(argument))  # better early than never

    def run_hook(
        self,
        name: str,
        hook: Callable[..., Any],
        arguments: tuple[object, ...],
        answer: Callable[[], None],
        refuse: Callable[[ToolError], None],
    ) -> None:
        """Runs a hook in a thread, then answers the host."""

        def job() -> None:
            try:
                value = hook(*arguments)
                if hasattr(value, "__await__"):
                    import asyncio

                    asyncio.run_coroutine_threadsafe(value, self._started_loop()).result()
            except BaseException as error:
                _print_traceback(error, {})
                if name in ("initialize", "start"):
                    told = error if isinstance(error, ToolError) else None
                    return refuse(told or ToolError("plugin-failed", f"on_{name} failed: {_named(error)}"))
            answer()

        def give_up() -> None:
            if name in ("initialize", "start"):
                return refuse(_no_room())
            _print(f"on_{name} did not run: {_NO_ROOM}\n", {})
            answer()

        self._submit(None, lambda: self._quietly(job), lambda: self._quietly(give_up))

    @staticmethod
    def _quietly(action: Callable[[], None]) -> None:
        """Nothing is left to do for a session that has ended."""
        try:
            action()
        except (HostGone, Cancelled):
            pass

    # Threads.

    def _submit(self, call: CallContext | None, job: Callable[[], None], refuse: Callable[[], None]) -> None:
        with self._changed:
            self._jobs.append((call, job, refuse))
            if self._idle >= len(self._jobs) or self._threads >= self._max_threads:
                self._changed.notify()
                return
            self._threads += 1
            name = f"nexus-{self._threads}"
        try:
            threading.Thread(target=self._work, name=name, daemon=True).start()
        except (RuntimeError, MemoryError):
            self._refuse_jobs()

    def _refuse_jobs(self) -> None:
        """A thread could not be made: what is queued waits for another one, and is refused where there is none."""
        with self._changed:
            self._threads -= 1
            if self._threads:
                return self._changed.notify()
            jobs = list(self._jobs)
            self._jobs.clear()
        for _, _, refuse in jobs:
            refuse()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._jobs:
                    self._changed.wait()
                self._idle -= 1
                _, job, refuse = self._jobs.popleft()
            job()
            del job, refuse

    def _run(self, call: Call, tool: Tool, arguments: Any) -> None:
        token = current_call.set(call)
        try:
            call.check()
            document, data = self._checked(call, tool, tool.function(**tool.bind(call, arguments)))
            if self._is_too_long(document, data):
                call.send(data)
                data = b""
            self._finish(call, "result", {"json": document, "bytes": data})
        except BaseException as error:
            self._fail(call, tool, error)
        finally:
            current_call.reset(token)

    # The loop.

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        with self._changed:
            if self._loop is None:
                import asyncio

                loop = asyncio.new_event_loop()
                try:
                    threading.Thread(target=loop.run_forever, name="nexus-loop", daemon=True).start()
                except (RuntimeError, MemoryError):
                    loop.close()
                    raise
                self._loop = loop
            return self._loop

    def ping(self) -> None:
        """The host has sent a ping: does the loop still turn?"""
        if self._loop is not None:
            self._watch.ping(self._loop)

    def patience(self) -> float | None:
        """For how many seconds the reader may wait before it calls `look`; None for any time."""
        return self._watch.patience()

    def look(self) -> None:
        if self._loop is not None:
            self._watch.look(self._loop)

    def _loop_is_blocked(self, loop: asyncio.AbstractEventLoop) -> None:
        import asyncio

        calls = list(self._async_calls)  # one operation under the interpreter's lock
        task = asyncio.current_task(loop)
        # A task that a tool made is not known by its call, then it may be any of them.
        running = [call for call in calls if call._task is task] if task is not None else []
        told = [call for call in running or calls if not call._is_told]
        for call in told:
            call._is_told = True
        if told or not calls:
            names = " or ".join(sorted({call.tool for call in told})) or "a hook or a callback"
            _print(f"ABI-6.6: the asyncio loop is blocked by {names}; use asyncio.to_thread or a plain def\n", {})

    def _start_task(self, call: AsyncCall, tool: Tool, arguments: Any) -> None:
        assert call._loop is not None
        task = call._loop.create_task(self._run_async(call, tool, arguments))
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._tasks.discard)

    async def _run_async(self, call: AsyncCall, tool: Tool, arguments: Any) -> None:
        import asyncio

        current_call.set(call)
        # Not earlier: a task that is cancelled before its first step never takes one, and would not answer.
        task = call._task = asyncio.current_task()
        assert call._loop is not None
        assert task is not None
        self._async_calls.add(call)
        timer = call._loop.call_later(min(call.remaining, 86_400.0), task.cancel)
        try:
            call.check()
            document, data = self._checked(call, tool, await tool.function(**tool.bind(call, arguments)))
            if self._is_too_long(document, data):
                await call.send(data)
                data = b""
            self._finish(call, "result", {"json": document, "bytes": data})
        except BaseException as error:
            self._fail(call, tool, error)
        finally:
            timer.cancel()
            self._async_calls.discard(call)

    # The end of a call.

    def _is_too_long(self, document: bytes, data: bytes) -> bool:
        """Whether bytes have to travel as `data`, because one frame does not hold the result with them (ABI-7.13)."""
        return bool(data) and _FIELD_BYTES + len(document) + _FIELD_BYTES + len(data) > self._session.body_limit

    def _checked(self, call: CallContext, tool: Tool, value: Any) -> tuple[bytes, bytes]:
        """What a function gave, as JSON that fits its schema, and the bytes beside it."""
        data = b""
        if isinstance(value, Result):
            value, data = value.value, value.data
            if data:
                call._require_content()
        try:
            document = encode(value)
        except NotJSON as error:
            raise AuthorMistake(f"the result is not JSON: {error}") from None
        if tool.has_result_shape:
            problems = tool.check_result(parse(document))
            if problems:
                raise AuthorMistake(
                    f"the result does not fit the outputSchema (MAN-6.3): {'; '.join(problems)}; correct the function "
                    "or the hint of its result"
                )
        return document, data

    def _fail(self, call: CallContext, tool: Tool, error: BaseException) -> None:
        if call._is_cancelled:
            return self._finish(call, "cancelled", {"reason": "cancelled by the host"})
        if isinstance(error, ToolError):
            told = error
            if isinstance(error, AuthorMistake):
                _print(f"{tool.name}: {error.message}\n", call._credentials)
        elif type(error).__name__ == "CancelledError" and call.cancelled:
            told = Cancelled("the call's deadline passed", "deadline-exceeded")
        else:
            told = ToolError("plugin-failed", _named(error))  # the host says of which tool
            _print(
                f"{tool.name} threw, and was answered with plugin-failed (ABI-7.6); catch it, and raise "
                'ToolError("..", "..") for what a caller should know\n',
                call._credentials,
            )
            _print_traceback(error, call._credentials)
        message = clipped(scrubbed(told.message, call._credentials), TEXT_BYTES)
        self._finish(call, "error", {**error_fields(told), "message": message})

    def _finish(self, call: CallContext, kind: str, message: dict[str, Any]) -> None:
        self._quietly(lambda: self._session.finish(call, kind, message))


#: A field's tag and length, before its value.
_FIELD_BYTES = 6
_NO_ROOM = "no thread can be made: the plugin's memory or number of threads is used up"


def _no_room() -> ToolError:
    return ToolError("unavailable", f"{_NO_ROOM}; call again when fewer calls run, or lower max_threads", True)


def _named(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _print_traceback(error: BaseException, credentials: dict[str, Any]) -> None:
    import traceback

    _print("".join(traceback.format_exception(type(error), error, error.__traceback__)), credentials)


def _print(text: str, credentials: dict[str, Any]) -> None:
    """To the plugin's log, without secrets that the text may quote."""
    try:
        sys.stderr.write(scrubbed(text, credentials))
    except Exception:
        return
