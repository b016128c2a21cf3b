"""One conversation with the host, from `hello` to its end.

The thread that runs it reads and never waits for anything else: tools and hooks run elsewhere, the outbox takes what
cannot be written at once. Every frame, sent or received, is first judged by the lifecycle.
"""

from __future__ import annotations

import _thread
import os

from .abi import BODY_BYTES, HANDSHAKE_BODY_BYTES, HEADER_BYTES, HOST, NAME_BYTES, SDK_NAME, VERSIONS
from .errors import ABIError, PluginMistake, ToolError, clipped, error_fields
from .frames import Decoder, Frame, wipe
from .lifecycle import check_version
from .link import HostGone
from .messages import decode, encode
from .streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .link import Link
    from .plugin import Plugin
    from .running import Runner


class Session(Streams):
    """`leave` ends the process when something other than the reader ends the session."""

    def __init__(self, plugin: Plugin, link: Link, leave: Callable[[int], None] = lambda status: None) -> None:
        super().__init__(link)
        self.plugin = plugin
        #: Why the session ended, where it did not end well.
        self.reason: str | None = None
        self._link = link
        self._leave = leave
        self._decoder = Decoder()
        self._runner: Runner | None = None
        #: Called once, before tools and hooks get threads.
        self.before_threads: Callable[[], None] = lambda: None
        self._stops = 0
        self._is_stopping = False
        self._status: int | None = None
        #: Bytes received, and bytes of whole frames among them.
        self._received = 0
        self._delivered = 0
        #: Descriptors whose frames are not complete yet, and the count of bytes received with each (ABI-7.22).
        self._arrived: list[tuple[int, int]] = []

    @property
    def runner(self) -> Runner:
        if self._runner is None:
            from .running import Runner

            self.before_threads()
            self._runner = Runner(self, self.plugin.max_threads)
        return self._runner

    # The reader.

    def run(self) -> int:
        """Converses until the end. The exit status: 0 after `disposed` or end of file, 1 after anything else."""
        self.outbox.reader = _thread.get_ident()
        try:
            self.send(
                "hello",
                message={
                    "versionMinimum": VERSIONS[0],
                    "versionMaximum": VERSIONS[1],
                    "name": clipped(self.plugin.name, NAME_BYTES),
                    "sdk": SDK_NAME,
                },
            )
            while self._status is None:
                self._await_bytes()
                with self._decoder.space() as free:
                    count = self._link.receive(free)
                if count == 0:
                    break  # at once (ABI-2.6), whatever runs
                self._decoder.filled(count)
                self._received += count
                if self._link.passed is not None:
                    self._arrived.append((self._received, self._link.passed))
                    self._link.passed = None
                while self._status is None:
                    frame = self._decoder.next()
                    if frame is None:
                        break
                    self._delivered += HEADER_BYTES + len(frame.body)
                    if self._arrived and self._arrived[0][0] <= self._delivered:
                        self._passed = self._arrived.pop(0)[1]
                    self._handle(frame)
                    self._drop_passed()
            return 0 if self._status is None else self._last_words()
        except HostGone:
            return 0
        except ABIError as error:
            return self._abort(error)
        finally:
            self.close()

    def _drop_passed(self) -> None:
        """Closes what came with a frame and was not taken."""
        if self._passed is not None:
            os.close(self._passed)
            self._passed = None

    def _await_bytes(self) -> None:
        """Returns once there is something to read; meanwhile looks after the loop of asynchronous tools."""
        while self._runner is not None:
            seconds = self._runner.patience()
            if seconds is None or self._link.is_readable(seconds):
                return
            self._runner.look()

    def _last_words(self) -> int:
        """Waits for the last frame, which another thread may be about to send."""
        with self.lock:
            status = self._status or 0
        self.outbox.finish(1.0)
        return status

    def close(self) -> None:
        """Overwrites every secret that is left and wakes whoever waits."""
        self._decoder.clear()
        self._drop_passed()
        for _, descriptor in self._arrived:
            os.close(descriptor)
        self._arrived.clear()
        with self.lock:
            calls = list(self._calls.values())
            self._calls.clear()
        for call in calls:
            call._is_cancelled = True
            call._wipe()
            call._wake()

    def _abort(self, error: ABIError) -> int:
        """Best effort: whoever broke the protocol may not be reading."""
        self.reason = f"the host broke the protocol: {error}"
        fields = error_fields(error)
        try:
            with self.lock:
                self._lifecycle.fail()
                self.outbox.put(encode("abort", 0, {"code": fields["code"], "message": fields["message"]}))
            self.outbox.finish(1.0)
        except HostGone:
            pass
        return 1

    def _handle(self, frame: Frame) -> None:
        """Judges one frame, acts on it and overwrites it."""
        try:
            with self.lock:
                self._lifecycle.advance(frame.kind, frame.stream, HOST)
            message = decode(frame)
        finally:
            wipe(frame.body)
        getattr(self, f"_on_{frame.kind}")(frame.stream, message)

    def _on_welcome(self, stream: int, message: dict[str, Any]) -> None:
        check_version(message["version"])
        limit = message["bodyLimit"]
        if not HANDSHAKE_BODY_BYTES <= limit <= BODY_BYTES:
            raise ABIError(
                "malformed-frame",
                f"a bodyLimit of {limit}; it is from {HANDSHAKE_BODY_BYTES} to {BODY_BYTES} (ABI-5.4)",
            )
        self.body_limit = limit
        self._decoder.body_limit = BODY_BYTES

    def _on_abort(self, stream: int, message: dict[str, Any]) -> None:
        self.reason = f"the host ended the session: {message['code']}: {message['message']}"
        self._status = 1

    def _on_ping(self, stream: int, message: dict[str, Any]) -> None:
        self.send("pong", message=message)
        if self._runner is not None:
            self._runner.ping()

    def _on_pong(self, stream: int, message: dict[str, Any]) -> None:
        pass

    # The lifecycle. A hook runs elsewhere, so that pings are answered meanwhile.

    def _on_initialize(self, stream: int, message: dict[str, Any]) -> None:
        try:
            self.plugin.check()
        except PluginMistake as error:
            return self._refuse(ToolError("plugin-failed", str(error)))
        self._after_hook("initialize", lambda: self.send("initialized"), message["configuration"].value)

    def _on_start(self, stream: int, message: dict[str, Any]) -> None:
        self._after_hook("start", lambda: self.send("started"))

    def _on_stop(self, stream: int, message: dict[str, Any]) -> None:
        with self.lock:
            self._stops += 1
            self._is_stopping = True
            if self._calls:
                self.runner.at(message["deadline"] / 1000 - 0.2, self._end_calls, self._stops)
        self._call_ended()

    def _on_dispose(self, stream: int, message: dict[str, Any]) -> None:
        self._after_hook("dispose", self._disposed)

    def _disposed(self) -> None:
        self._end(0, "disposed", {})

    def _after_hook(self, name: str, answer: Callable[[], None], *arguments: object) -> None:
        hook = self.plugin.hooks.get(name)
        if hook is None:
            answer()
        else:
            self.runner.run_hook(name, hook, arguments, answer, self._refuse)

    def _refuse(self, error: ToolError) -> None:
        """The plugin cannot initialize or start (ABI-6.3)."""
        self.reason = f"not started: {error}"
        self._end(1, "error", error_fields(error))

    def _end(self, status: int, kind: str, message: dict[str, Any]) -> None:
        """Sends the last frame, and ends whatever the reader waits for."""
        with self.lock:
            self._status = status
            self._put(kind, 0, encode(kind, 0, message))
        self.outbox.finish(2.0)
        self._leave(status)

    def _end_calls(self, stop: int) -> None:
        """The deadline of `stop` is near: what still runs ends now (ABI-6.4)."""
        with self.lock:
            calls = list(self._calls.values()) if self._is_stopping and self._stops == stop else []
        for call in calls:
            call._is_cancelled = True
            self.finish(call, "error", error_fields(ToolError("unavailable", "the plugin was stopped", True)))
            call._wake()

    def _call_ended(self) -> None:
        with self.lock:
            if not self._is_stopping or self._calls:
                return
            self._is_stopping = False
        self._after_hook("stop", lambda: self.send("stopped"))

    # Calls.

    def _on_call(self, stream: int, message: dict[str, Any]) -> None:
        if stream <= self._last_call:
            raise ABIError("unknown-stream", f"a call on stream {stream} after one on {self._last_call}; streams rise")
        self._last_call = stream
        self.runner.start(stream, message)

    def _on_cancel(self, stream: int, message: dict[str, Any]) -> None:
        call = self._open_call("cancel", stream)
        if call is not None and not call._is_cancelled:
            call._is_cancelled = True
            if not self.runner.withdraw(call):
                call._wake()
