"""A plugin in the address space of a small jail: many calls at once, and threads that cannot be made."""

from __future__ import annotations

import threading
import time

import pytest
from vector_plugin import asynchronous, threaded
from wire_host import FAR, Process, Threaded

from nexus_plugin import Call, Plugin, Result
from nexus_plugin.link import Outbox

SLOW = """
import _thread, resource, threading
resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
from nexus_plugin import Plugin
plugin = Plugin("slow")
gathered = threading.Barrier(32)
@plugin.tool(description="waits until all of them run")
def slow(value: dict) -> dict:
    gathered.wait(20)
    return value
@plugin.tool(description="recurses without end")
def recurse() -> None:
    recurse()
@plugin.tool(description="recurses without end, through C")
def nested() -> str:
    value = []
    for _ in range(100_000):
        value = [value]
    return repr(value)
@plugin.tool(description="what the threads have")
def stack() -> int:
    return _thread.stack_size()
plugin.run()
"""


@pytest.fixture
def slow(tmp_path):
    host = Process(SLOW, tmp_path)
    host.start()
    yield host
    host.close()


def test_32_calls_run_at_once_in_512_mib(slow):
    depth = 60
    document = '{"value":' * depth + "{}" + "}" * depth
    for index in range(32):
        slow.call(2 * index + 1, "slow", f'{{"value":{document}}}')
    answered = set()
    for _ in range(32):
        kind, stream, message = slow.receive()
        assert kind == "result", message
        assert message["json"].raw.decode() == document
        answered.add(stream)
    assert len(answered) == 32


@pytest.mark.parametrize("tool", ["recurse", "nested"])
def test_endless_recursion_is_an_error_and_no_end_of_the_process(slow, tool):
    slow.call(1, tool)
    assert "RecursionError" in slow.expect("error", 1)["message"]
    slow.call(3, "stack")
    assert slow.expect("result", 3)["json"].value == 2 << 20


class Scarce:
    """Lets `left` more threads begin."""

    def __init__(self, monkeypatch) -> None:
        self.left = 0
        self._start = threading.Thread.start
        monkeypatch.setattr(threading.Thread, "start", lambda thread: self._begin(thread))

    def _begin(self, thread: threading.Thread) -> None:
        if self.left == 0:
            raise RuntimeError("can't start new thread")
        self.left -= 1
        self._start(thread)


@pytest.mark.parametrize("make", [threaded, asynchronous], ids=["threads", "asyncio"])
def test_without_any_thread_a_call_is_unavailable_and_a_later_one_works(monkeypatch, make):
    host = Threaded(make())
    host.start()
    scarce = Scarce(monkeypatch)
    host.call(1, "echo")
    error = host.expect("error", 1)
    assert (error["code"], error["retryable"]) == ("unavailable", 1)
    assert "no thread can be made" in error["message"]
    scarce.left = 1
    host.call(3, "echo")
    host.expect("result", 3)
    host.close()


def test_with_one_thread_calls_wait_for_it(monkeypatch):
    go = threading.Event()
    plugin = Plugin("waits")

    @plugin.tool(description="waits")
    def wait(call: Call) -> dict:
        call.progress(1)
        go.wait(5)
        return {}

    host = Threaded(plugin)
    host.start()
    Scarce(monkeypatch).left = 1
    host.call(1, "wait")
    host.expect("progress", 1)
    for stream in (3, 5):
        host.call(stream, "wait")
    host.send("ping", nonce=1)
    host.expect("pong")
    go.set()
    kinds = [host.receive()[:2] for _ in range(5)]
    assert [one for one in kinds if one[0] == "result"] == [("result", 1), ("result", 3), ("result", 5)]
    host.close()


def test_a_hook_without_a_thread_refuses_the_start_and_lets_the_plugin_stop(monkeypatch, capsys):
    plugin = Plugin("hooked")
    plugin.on_start(lambda: None)
    host = Threaded(plugin)
    host.welcome()
    host.send("initialize", configuration=b"{}")
    host.expect("initialized")
    scarce = Scarce(monkeypatch)
    host.send("start")
    assert host.expect("error")["code"] == "unavailable"
    assert host.ended() == 1
    host.close()

    plugin = Plugin("hooked")
    plugin.on_stop(lambda: None)
    scarce.left = 1  # the reader
    host = Threaded(plugin)
    host.start()
    host.send("stop", deadline=FAR)
    host.expect("stopped")
    assert "on_stop did not run: no thread can be made" in capsys.readouterr().err
    host.close()


def test_a_stop_without_a_timer_ends_what_runs(monkeypatch):
    host = Threaded(threaded())
    host.start()
    Scarce(monkeypatch).left = 1
    host.call(1, "wait")
    host.send("ping", nonce=1)
    host.expect("pong")
    host.send("stop", deadline=int(time.time() * 1000) + 5_000)
    assert host.expect("error", 1)["code"] == "unavailable"
    host.expect("stopped")
    host.close()


def test_a_full_socket_without_a_thread_loses_nothing(monkeypatch):
    plugin = Plugin("big")

    @plugin.tool(description="large", content="text/plain")
    def large() -> Result:
        return Result({}, b"x" * 1_000_000)

    host = Threaded(plugin)
    host.start()

    def none(*arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    host.call(1, "large")
    host.expect("result", 1)  # its worker exists now
    monkeypatch.setattr("_thread.start_new_thread", none)
    for stream in (3, 5, 7):
        host.call(stream, "large")
    time.sleep(0.1)  # nobody reads: the socket fills
    answers = [host.receive() for _ in range(3)]
    assert [(kind, stream, len(message["bytes"])) for kind, stream, message in answers] == [
        ("result", stream, 1_000_000) for stream in (3, 5, 7)
    ]
    host.close()


class Narrow:
    """A link that is full until `opened`."""

    def __init__(self) -> None:
        self.opened = False
        self.sent = b""

    def is_writable(self, wait: bool) -> bool:
        assert self.opened or not wait, "the reader waits"
        return self.opened

    def send(self, data: memoryview) -> int:
        self.sent += bytes(data)
        return len(data)


def test_the_reader_never_waits_and_tries_again(monkeypatch):
    def none(*arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", none)
    link = Narrow()
    outbox = Outbox(link)
    outbox.reader = threading.get_ident()
    outbox.put(bytearray(b"one"))
    outbox.flush()
    outbox.put(bytearray(b"two"))
    outbox.flush()
    assert link.sent == b""
    link.opened = True
    outbox.put(bytearray(b"three"))
    outbox.flush()
    assert link.sent == b"onetwothree"
